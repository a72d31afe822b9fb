import { expect, it } from 'vitest';
import type { Import } from '../../../shared/imports/import.ts';
import { newPlanRecord } from '../../../shared/imports/ledger/plan-record.ts';
import { newTenantPace } from '../../../shared/imports/pacing/tenant-pace.ts';
import type { QueueLook } from '../../../shared/operations/queue-look.ts';
import { watch } from '../../../shared/operations/watch.ts';
import { createApiDeps, NOW } from '../../support/api.ts';
import { aConnection, anImport } from '../../support/records.ts';
import { faultsOfLine } from '../../support/signal-lines.ts';

const MINUTE_MS = 60_000;

function world() {
  const deps = createApiDeps();
  const looks: Record<string, QueueLook> = {};
  const lines: Record<string, unknown>[] = [];
  const watched = { ...deps, lookAtQueue: async (queue: string) => looks[queue] ?? { depth: 0 } };
  return {
    deps,
    looks,
    /** What one run of the timer writes. Each line is as the table of signals says. */
    async run(): Promise<Record<string, unknown>[]> {
      lines.length = 0;
      await watch(
        watched,
        (level, event, fields) => void lines.push({ level, event, timer: 'watch-queues', ...fields }),
      );
      expect(lines.flatMap(faultsOfLine)).toEqual([]);
      return lines;
    },
    pass(minutes: number) {
      deps.time.now = new Date(deps.time.now.getTime() + minutes * MINUTE_MS);
    },
    async open(change: Partial<Import>) {
      const record = anImport({ id: 'imp_1', status: 'running', ...change });
      const { customerId, connectionId, id: importId } = record;
      await deps.imports.openPointer({ customerId, connectionId, importId, openedAt: NOW });
      await deps.imports.insert(record);
      return record;
    },
  };
}

const named = (lines: Record<string, unknown>[], event: string) => lines.filter((line) => line.event === event);

it('tells depth, poison messages and the age of the oldest message of every queue', async () => {
  const { deps, looks, run } = world();
  looks['check-mailbox'] = { depth: 12, oldestSince: new Date(NOW.getTime() - 90_500) };
  looks['check-mailbox-poison'] = { depth: 1 };
  const archived = { queue: 'check-mailbox', key: 'imp_1:2', message: {}, archivedAt: NOW, state: 'open' } as const;
  await deps.poisonArchive.insert(archived);
  await deps.poisonArchive.insert({ ...archived, key: 'imp_1:3', state: 'discarded', decidedAt: NOW });
  const queues = named(await run(), 'queue_watched');
  expect(queues).toHaveLength(7);
  expect(queues).toContainEqual({
    level: 'info',
    event: 'queue_watched',
    timer: 'watch-queues',
    queue: 'check-mailbox',
    depth: 12,
    poisonDepth: 2,
    oldestAgeSeconds: 90,
  });
});

it('an import that makes no progress for longer than 15 minutes is stalled, until something moves', async () => {
  const { deps, run, pass, open } = world();
  const { connectionId } = await open({});
  await run();
  pass(15);
  expect(named(await run(), 'import_stalled')).toEqual([]);
  pass(1);
  const lines = await run();
  expect(named(lines, 'import_stalled')).toMatchObject([{ level: 'warn', importId: 'imp_1', silentSeconds: 16 * 60 }]);
  expect(named(lines, 'imports_watched')).toMatchObject([{ open: 1, running: 1, stalled: 1 }]);
  await deps.ledger.commit(connectionId, [
    { op: 'createPlan', plan: { ...newPlanRecord('imp_1', NOW), line: 7, accepted: 7 } },
  ]);
  expect(named(await run(), 'import_stalled')).toEqual([]);
});

it('a paused import, and one that waits for a time that Microsoft has named, are not stalled', async () => {
  const { deps, run, pass, open } = world();
  await open({ id: 'imp_paused', status: 'paused' });
  const until = new Date(NOW.getTime() + 60 * MINUTE_MS);
  await open({ id: 'imp_waiting', waitingFor: { cause: 'throttled', until } });
  await run();
  pass(70);
  expect(named(await run(), 'import_stalled')).toEqual([]);
  pass(10);
  expect(named(await run(), 'import_stalled')).toMatchObject([{ importId: 'imp_waiting', silentSeconds: 20 * 60 }]);
  await deps.imports.closePointer('imp_paused');
  await deps.imports.closePointer('imp_waiting');
  await run();
  expect(await deps.progressMarks.list()).toEqual([]);
});

it('tells how fast each tenant of a running import is asked, once for all its imports', async () => {
  const { deps, run, open } = world();
  const connection = aConnection({ tenantId: '00000000-0000-4000-8000-00000000c0de' });
  await deps.connections.insert(connection);
  const of = { customerId: connection.customerId, connectionId: connection.id };
  await open({ id: 'imp_1', ...of });
  await open({ id: 'imp_2', ...of });
  const tenant = `${connection.cloud} ${connection.tenantId} ${connection.clientId}`;
  await deps.tenantPaces.put({ ...newTenantPace(tenant), mode: 'paced', limit: 41.6 }, undefined);
  expect(named(await run(), 'tenant_watched')).toMatchObject([{ tenant, mode: 'paced', limit: 42, imports: 2 }]);
});

it('a timer is late once its next run is overdue for longer than 15 minutes', async () => {
  const { deps, run, pass } = world();
  await deps.heartbeats.beat({ timer: 'sweep-imports', ranAt: NOW, dueAt: new Date(NOW.getTime() + MINUTE_MS) });
  await deps.heartbeats.beat({ timer: 'tidy-up', ranAt: NOW, dueAt: new Date(NOW.getTime() + 1440 * MINUTE_MS) });
  const lateTimers = async () =>
    named(await run(), 'timer_watched')
      .filter(({ isLate }) => isLate)
      .map(({ watched }) => watched);
  pass(16);
  expect(await lateTimers()).toEqual([]);
  pass(1);
  expect(await lateTimers()).toEqual(['sweep-imports']);
  expect(named(await run(), 'timer_watched')).toContainEqual(
    expect.objectContaining({ watched: 'tidy-up', silentSeconds: 17 * 60, isLate: false }),
  );
});

it('if one part cannot be read, the others are told, and the run counts as failed', async () => {
  const { deps, run } = world();
  deps.imports.listOpen = async () => {
    throw new Error('storage');
  };
  const lines: unknown[] = [];
  await expect(watch(deps, (_, event) => void lines.push(event))).rejects.toThrow('storage');
  expect(lines).toContain('queue_watched');
  await expect(run()).rejects.toThrow('storage');
});
