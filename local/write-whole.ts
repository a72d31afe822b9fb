import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, rename, rm, writeFile } from 'node:fs/promises';

/** Replaces a file in one step: whoever reads it sees the old content or the new, never half of it. */
export async function writeWhole(path: string, content: string, mode: number): Promise<void> {
  const draft = draftOf(path);
  try {
    await writeFile(draft, content, { mode });
    // The mode above is cut by the umask of the shell.
    await chmod(draft, mode);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** The same, before anything else happens: for a service that must not acknowledge what it could still lose. */
export function writeWholeNow(path: string, content: string, mode: number): void {
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
