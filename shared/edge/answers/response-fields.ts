import { z } from 'zod';

/** An instant in an answer, RFC 3339 in UTC. */
export const instant = z.iso.datetime().meta({ description: 'RFC 3339, in UTC.', example: '2027-06-01T08:30:00.000Z' });

/** The JSON of one page of a list. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.strictObject({
    items: z.array(item),
    nextCursor: z
      .string()
      .optional()
      .meta({ description: 'Send it as `cursor` to get the next page. Absent on the last page.' }),
  });
}
