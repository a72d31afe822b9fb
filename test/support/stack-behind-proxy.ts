import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { saveMemory } from '../../local/data-folder.ts';
import type { ScenarioInput } from '../../local/microsoft365/scenario.ts';
import { freePort } from '../../local/ports.ts';
import type { StackOptions } from '../../local/stack.ts';
import { connectionString } from './azurite.ts';
import { type RunningStack, startRunningStack } from './running-stack.ts';
import { startTableProxy, type TableProxy } from './table-proxy.ts';

export interface StackBehindProxy {
  running: RunningStack;
  proxy: TableProxy;
  /** The connection string of the storage itself. What uses it passes the proxy by. */
  storage: string;
}

/**
 * Starts a stack whose functions reach Table Storage through a proxy, before the tests of a file, and stops both after
 * them. The result can be used inside tests and hooks.
 */
export function useStackBehindProxy(
  scenario: ScenarioInput,
  options: Pick<StackOptions, 'processes'> = {},
): StackBehindProxy {
  const used = {} as StackBehindProxy;
  let data: string | undefined;
  beforeAll(async () => {
    await mkdir('.muster', { recursive: true });
    data = await mkdtemp('.muster/proxied-');
    const ports = {
      blob: await freePort(),
      queue: await freePort(),
      table: await freePort(),
      vault: await freePort(),
      simulator: await freePort(),
    };
    const home = { tenantId: randomUUID(), clientId: randomUUID(), clientSecret: randomUUID() };
    await saveMemory(data, { ports, operatorKey: `${randomUUID()}-${randomUUID()}`, home });
    used.proxy = await startTableProxy(ports.table);
    const urlOf = (port: number) => `http://127.0.0.1:${port}/devstoreaccount1`;
    const blobs = connectionString('blob', `http://127.0.0.1:${ports.blob}`);
    used.storage = `${blobs}QueueEndpoint=${urlOf(ports.queue)};TableEndpoint=${urlOf(ports.table)};`;
    const DataStorage = used.storage.replace(urlOf(ports.table), `${used.proxy.url}/devstoreaccount1`);
    used.running = await startRunningStack(scenario, { data, settings: { DataStorage }, ...options });
  });
  afterAll(async () => {
    used.proxy?.close();
    await used.running?.stack.stop();
    expect(used.running?.undocumented ?? []).toEqual([]);
    if (data) await rm(data, { recursive: true, force: true });
  });
  return used;
}
