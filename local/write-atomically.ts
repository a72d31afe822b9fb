import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, rename, rm, writeFile } from 'node:fs/promises';

/** Replaces a file atomically: readers see the old content or the new content, never a mix. */
export async function writeAtomically(path: string, content: string, mode: number): Promise<void> {
  const draft = draftOf(path);
  try {
    await writeFile(draft, content, { mode });
    // The umask of the shell may have restricted the mode above.
    await chmod(draft, mode);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Like `writeAtomically`, but synchronous: for a service that must not acknowledge what it could still lose. */
export function writeAtomicallySync(path: string, content: string, mode: number): void {
  const draft = draftOf(path);
  try {
    writeFileSync(draft, content, { mode, flush: true });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

const draftOf = (path: string) => `${path}.${randomBytes(6).toString('hex')}.draft`;
