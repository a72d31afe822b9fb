import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type CallAzure, callAzure, requireValue } from './azure.ts';

interface Deps {
  callAzure: CallAzure;
  /** Status of a GET, or `undefined` if there was no answer. */
  getStatus: (url: string) => Promise<number | undefined>;
  wait: (ms: number) => Promise<unknown>;
  say: (line: string) => void;
}

/** Without this function no mailbox is checked. It is missing if the app's code did not load. */
export const WORKER = 'check-mailbox';

const functionList = z.object({ value: z.array(z.object({ properties: z.object({ name: z.string() }) })) });
const API_VERSION = 'api-version=2024-04-01';
const PAUSE_MS = 10_000;
const TRIES = 30;

/**
 * Resolves when the deployed app answers and the platform knows its triggers. Rejects after five minutes, which fails the
 * deployment.
 *
 * After a deployment the platform sometimes does not list the app's functions. It then starts none of them: queues fill
 * up, although HTTP works. So this synchronizes the triggers and checks the list.
 * https://github.com/Azure/azure-functions-host/issues/10169
 */
export async function checkDeployment(deps: Deps, functionAppId: string, apiUrl: string): Promise<void> {
  const health = `${apiUrl}/v1/health`;
  let status: number | undefined;
  let names: string[] = [];
  for (let tries = 1; tries <= TRIES; tries++) {
    await deps.callAzure('POST', `${functionAppId}/syncfunctiontriggers?${API_VERSION}`);
    status = await deps.getStatus(health);
    names = await listFunctions(deps, functionAppId);
    if (status === 200 && names.includes(WORKER)) {
      deps.say(`${health} answers 200, and the platform lists ${names.length} functions.`);
      return;
    }
    deps.say(`Not ready yet: ${health} answers ${status ?? 'nothing'}. Functions: ${names.join(', ') || 'none'}.`);
    await deps.wait(PAUSE_MS);
  }
  throw new Error(
    `The deployment does not work: ${health} answers ${status ?? 'nothing'}, and the platform lists ` +
      `${names.join(', ') || 'no functions'}. If a setting is missing, the app does not start and its log names the setting. See docs/deploy.md.`,
  );
}

async function listFunctions({ callAzure }: Deps, functionAppId: string): Promise<string[]> {
  const answer = await callAzure('GET', `${functionAppId}/functions?${API_VERSION}`);
  // Names have the form "app/function".
  return functionList.parse(answer).value.map(({ properties }) => properties.name.replace(/^.*\//, ''));
}

async function getStatus(url: string): Promise<number | undefined> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(30_000) })).status;
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  const deps = { callAzure, getStatus, wait: sleep, say: console.log };
  await checkDeployment(deps, requireValue('FUNCTION_APP_ID'), requireValue('API_URL'));
}
