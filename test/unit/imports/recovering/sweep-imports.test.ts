import { beforeEach, describe, expect, it } from 'vitest';
import type { Connection } from '../../../../shared/connections/connection.ts';
import type { ConnectionStore } from '../../../../shared/connections/connection-store.ts';
import { pauseImport } from '../../../../shared/imports/control/pause-import.ts';
import { resumeImport } from '../../../../shared/imports/control/resume-import.ts';
import type { Import, ImportFinding } from '../../../../shared/imports/import.ts';
import type { ImportStore } from '../../../../shared/imports/import-store.ts';
import type { ImportMessage } from '../../../../shared/imports/messages.ts';
import { type SweepDeps, sweepImports } from '../../../../shared/imports/recovering/sweep-imports.ts';
import { DomainError } from '../../../../shared/kernel/errors.ts';
import { inMemoryConnections } from '../../../fakes/in-memory-connections.ts';
import { inMemoryImports } from '../../../fakes/in-memory-imports.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { aConnection, anImport, RECORDS_NOW } from '../../../support/records.ts';

const DAY_MS = 86_400_000;
let now: number;
let imports: ImportStore;
let dispatched: string[];
let deps: SweepDeps & { connections: ConnectionStore };

beforeEach(() => {
  now = RECORDS_NOW.getTime();
  imports = inMemoryImports();
  dispatched = [];
  deps = {
    imports,
    connections: inMemoryConnections(),
    sendDeletion: async () => undefined,
    testConnection: async () => undefined,
    ledger: inMemoryLedger(),
    importQueues: {
      sendPlan: async () => undefined,
      sendDispatch: async ({ importId }: ImportMessage) => void dispatched.push(importId),
      sendCheck: async () => undefined,
      getOldestCheckSentAt: async () => undefined,
    },
    customers: { exists: async () => true },
    clock: { now: () => new Date(now) },
    planOverdueMs: 90_000,
    pausedMaxMs: 30 * DAY_MS,
  };
});

async function store(change: Partial<Import> = {}): Promise<void> {
  const record = anImport(change);
  const { id: importId, customerId, connectionId } = record;
  await imports.openPointer({ importId, customerId, connectionId, openedAt: RECORDS_NOW });
  await imports.insert(record);
}
const read = async () => (await imports.get('cust_1', 'imp_1'))?.value;

it('cancels an import that has been paused for longer than it may, and says so in its finding', async () => {
  await store();
  await pauseImport(deps, 'cust_1', 'imp_1');
  now += 30 * DAY_MS;
  await sweepImports(deps);
  expect(await read()).toMatchObject({ status: 'paused' });
  now += 1;
  await sweepImports(deps);
  expect(await read()).toMatchObject({
    status: 'cancelling',
    endsAs: 'cancelled',
    finding: { code: 'paused_too_long', detail: expect.stringContaining('since 2026-06-01') },
  });
  expect(dispatched).toContain('imp_1');
});

it('counts the time of the last pause only', async () => {
  const connections = inMemoryConnections();
  await connections.insert(aConnection());
  await store();
  await pauseImport(deps, 'cust_1', 'imp_1');
  now += 20 * DAY_MS;
  await resumeImport({ ...deps, connections }, anImport());
  expect((await read())?.pausedAt).toBeUndefined();
  await pauseImport(deps, 'cust_1', 'imp_1');
  now += 20 * DAY_MS;
  await sweepImports(deps);
  expect(await read()).toMatchObject({ status: 'paused' });
});

describe('an import that paused because of a credential', () => {
  const expired = { code: 'secret_expired', detail: 'Over.', seenAt: RECORDS_NOW } as const;
  const MINUTE_MS = 60_000;

  async function statusAfter(change: Partial<Connection>, finding: ImportFinding = expired) {
    await deps.connections.purge('cust_1');
    await deps.connections.insert(aConnection(change));
    await store();
    await pauseImport(deps, 'cust_1', 'imp_1', { finding, epoch: 1 });
    await sweepImports(deps);
    return (await read())?.status;
  }
  const later = new Date(RECORDS_NOW.getTime() + MINUTE_MS);

  it('goes on by itself once another one is in use and has passed its test', async () => {
    expect(await statusAfter({ status: 'ready', credentialChangedAt: later })).toBe('running');
    expect(dispatched).toContain('imp_1');
  });

  it.each<[string, Partial<Connection>, ImportFinding?]>([
    ['the new one has not passed its test', { status: 'failing', credentialChangedAt: later }],
    ['the credential is older than the pause', { status: 'ready', credentialChangedAt: new Date(0) }],
    ['the credential is still the same', { status: 'ready' }],
    ['it paused for another reason', { credentialChangedAt: later }, { ...expired, code: 'app_disabled' }],
  ])('stays paused if %s', async (_why, change, finding) => {
    expect(await statusAfter(change, finding)).toBe('paused');
  });
});

it('looks after every other import when some cannot be read, and returns their errors', async () => {
  for (let i = 0; i < 40; i++) await store({ id: `imp_${i}` });
  const { get } = imports;
  imports.get = async (customerId, importId) => {
    if (importId.endsWith('7')) throw new DomainError('storage_unavailable', 'Storage is unavailable.');
    return get(customerId, importId);
  };
  const { open, failed } = await sweepImports(deps);
  expect(open).toBe(40);
  expect(failed).toHaveLength(4);
  expect(dispatched).toHaveLength(36);
});

it('looks after several imports at the same time, but not after all of them', async () => {
  for (let i = 0; i < 100; i++) await store({ id: `imp_${i}` });
  let underWay = 0;
  let most = 0;
  const { get } = imports;
  imports.get = async (customerId, importId) => {
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setTimeout(resolve, 1));
    underWay--;
    return get(customerId, importId);
  };
  await sweepImports(deps);
  expect(most).toBeGreaterThan(4);
  expect(most).toBeLessThanOrEqual(16);
});
