import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type CallAzure, callAzure, requireValue } from './azure.ts';

interface Needs {
  callAzure: CallAzure;
  /** Status of a GET, or `undefined` when nobody answered. */
  getStatus: (url: string) => Promise<number | undefined>;
  wait: (ms: number) => Promise<unknown>;
  say: (line: string) => void;
}

/** Missing it, no mailbox is checked; an app whose code did not load has it not. */
export const WORKER = 'check-mailbox';

const functionList = z.object({ value: z.array(z.object({ properties: z.object({ name: z.string() }) })) });
const API_VERSION = 'api-version=2024-04-01';
const PAUSE_MS = 10_000;
const TRIES = 30;

/**
 * Resolves when the deployed app answers and the platform knows its triggers; rejects, failing the deployment, when
 * either is not so after five minutes.
 *
 * After a deployment the platform now and then lists no function but its own, and then scales none of them: queues fill
 * and nothing starts, while HTTP works. So the triggers are synchronised by hand and the list is looked at.
 * https://github.com/Azure/azure-functions-host/issues/10169
 */
export async function checkDeployment(needs: Needs, functionAppId: string, apiUrl: string): Promise<void> {
  const health = `${apiUrl}/v1/health`;
  let status: number | undefined;
  let names: string[] = [];
  for (let tries = 1; tries <= TRIES; tries++) {
    await needs.callAzure('POST', `${functionAppId}/syncfunctiontriggers?${API_VERSION}`);
    status = await needs.getStatus(health);
    names = await listFunctions(needs, functionAppId);
    if (status === 200 && names.includes(WORKER)) {
      needs.say(`${health} answers 200; ${names.length} functions are known to the platform.`);
      return;
    }
    needs.say(`Not yet: ${health} answers ${status ?? 'nothing'}, functions: ${names.join(', ') || 'none'}.`);
    await needs.wait(PAUSE_MS);
  }
  throw new Error(
    `The deployment does not work: ${health} answers ${status ?? 'nothing'}, and the platform lists ` +
      `${names.join(', ') || 'no functions'}. An app that lacks a setting refuses to start and names it in its log (see docs/deploy.md).`,
  );
}

async function listFunctions({ callAzure }: Needs, functionAppId: string): Promise<string[]> {
  const answer = await callAzure('GET', `${functionAppId}/functions?${API_VERSION}`);
  // Names come as "app/function".
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
  const needs = { callAzure, getStatus, wait: sleep, say: console.log };
  await checkDeployment(needs, requireValue('FUNCTION_APP_ID'), requireValue('API_URL'));
}
