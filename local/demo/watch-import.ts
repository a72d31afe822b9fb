import { setTimeout as pause } from 'node:timers/promises';
import type { ApiClient } from '../api-client.ts';
import { StartError } from '../start-error.ts';
import { isOver, type Progress, progressLine } from './progress.ts';
import type { Screen } from './screen.ts';

/** @throws StartError with the API's own words when it refuses the file, which may be the user's own */
export async function startImport(api: ApiClient, connectionId: string, csv: string | Uint8Array): Promise<string> {
  const answer = await api.call<{ id: string; detail?: string }>('POST', `/v1/connections/${connectionId}/imports`, {
    body: csv,
    contentType: 'text/csv',
  });
  if (answer.status !== 202) throw new StartError(`The import was refused: ${answer.body.detail ?? answer.text}`);
  return answer.body.id;
}

/** Shows the progress of an import until it is over. */
export async function watchImport(api: ApiClient, importId: string, screen: Screen): Promise<Progress> {
  for (;;) {
    const progress = await api.expect<Progress>(200, 'GET', `/v1/imports/${importId}`);
    screen.update(progressLine(progress));
    if (isOver(progress)) {
      screen.endUpdates();
      if (progress.finding) screen.print(`${progress.finding.cause}: ${progress.finding.detail}`);
      return progress;
    }
    await pause(process.stdout.isTTY ? 250 : 1_000);
  }
}
