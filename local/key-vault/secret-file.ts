import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { StartError } from '../start-error.ts';
import { writeWholeNow } from '../write-whole.ts';
import type { StoredSecret } from './secret-store.ts';

const version = z.object({
  id: z.string(),
  value: z.string(),
  contentType: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  enabled: z.boolean(),
  nbf: z.number().optional(),
  exp: z.number().optional(),
  created: z.number(),
  updated: z.number(),
});

const file = z.object({
  secrets: z.array(z.object({ name: z.string(), versions: z.array(version).min(1), deletedAt: z.number().optional() })),
});

/**
 * Reads the secrets from disk; none if there is no file. The file is not encrypted, but only its owner can read it.
 *
 * @throws StartError if the file is damaged
 */
export function readSecrets(path: string): StoredSecret[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    return file.parse(JSON.parse(text)).secrets;
  } catch {
    // The parser's own message could contain a secret.
    throw new StartError(`${path} is not a valid vault file. Fix it, or use --fresh to start without any data.`);
  }
}

export function writeSecrets(path: string, secrets: readonly StoredSecret[]): void {
  writeWholeNow(path, JSON.stringify({ secrets }), 0o600);
}
