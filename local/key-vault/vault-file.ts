import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { StartError } from '../start-error.ts';
import { writeAtomicallySync } from '../write-atomically.ts';
import type { StoredCertificate } from './certificate-store.ts';
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

const certificate = z.object({
  name: z.string(),
  version: z.string(),
  tags: z.record(z.string(), z.string()).optional(),
  policy: z.object({
    subject: z.string(),
    keySize: z.number(),
    exportable: z.boolean(),
    validityMonths: z.number(),
    contentType: z.string(),
  }),
  cer: z.string(),
  keyPem: z.string(),
  enabled: z.boolean(),
  nbf: z.number(),
  exp: z.number(),
  created: z.number(),
  deletedAt: z.number().optional(),
});

const file = z.object({
  certificates: z.array(certificate).default([]),
  secrets: z.array(z.object({ name: z.string(), versions: z.array(version).min(1), deletedAt: z.number().optional() })),
});

/** Everything that a vault keeps. */
export interface VaultContent {
  secrets: StoredSecret[];
  certificates: StoredCertificate[];
}

/**
 * Reads what a vault keeps from disk; nothing if there is no file. The file is not encrypted, but only its owner can read it.
 *
 * @throws StartError if the file is damaged
 */
export function readVault(path: string): VaultContent {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { secrets: [], certificates: [] };
    throw error;
  }
  try {
    return file.parse(JSON.parse(text));
  } catch {
    // The parser's own message could contain a secret.
    throw new StartError(`${path} is not a valid vault file. Fix it, or use --fresh to start without any data.`);
  }
}

export function writeVault(path: string, content: VaultContent): void {
  writeAtomicallySync(path, JSON.stringify(content), 0o600);
}
