import { type Import, type Muster, MusterError } from '../../clients/typescript/src/index.ts';
import { StartError } from '../start-error.ts';
import { progressLine } from './progress.ts';
import type { Screen } from './screen.ts';

/** @throws StartError with the API's own words when it refuses the file, which may be the user's own */
export async function startImport(muster: Muster, connectionId: string, csv: string | Uint8Array): Promise<string> {
  try {
    return (await muster.imports.start(connectionId, csv)).id;
  } catch (error) {
    if (error instanceof MusterError) throw new StartError(`The import was refused: ${error.detail}`);
    throw error;
  }
}

/** Shows the progress of an import until it is over. */
export async function watchImport(muster: Muster, importId: string, screen: Screen): Promise<Import> {
  const progress = await muster.waitForImport(importId, {
    onProgress: (latest) => screen.update(progressLine(latest)),
    pollMs: process.stdout.isTTY ? 250 : 1_000,
  });
  screen.endUpdates();
  if (progress.finding) screen.print(`${progress.finding.cause}: ${progress.finding.detail}`);
  return progress;
}
