import { z } from 'zod';

/** Asks for the directory of a connection's tenant to be read on. */
export const directoryMessage = z.object({ v: z.literal(1), customerId: z.string(), connectionId: z.string() });
export type DirectoryMessage = z.infer<typeof directoryMessage>;
