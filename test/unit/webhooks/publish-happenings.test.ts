import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { changeConnection } from '../../../shared/connections/change-connection.ts';
import type { Connection } from '../../../shared/connections/connection.ts';
import { pauseImport } from '../../../shared/imports/control/pause-import.ts';
import type { DeliveryMessage, PublishMessage } from '../../../shared/webhooks/event-queues.ts';
import { eventData } from '../../../shared/webhooks/event-schemas.ts';
import type { EventType } from '../../../shared/webhooks/event-types.ts';
import { notingConnections, notingImports } from '../../../shared/webhooks/noting-stores.ts';
import {
  publishHappenings,
  publishImportEnd,
  publishVerdictChanges,
} from '../../../shared/webhooks/publish-happenings.ts';
import { sweepEvents } from '../../../shared/webhooks/sweep-events.ts';
import { inMemoryConnections } from '../../fakes/in-memory-connections.ts';
import { inMemoryDeliveries } from '../../fakes/in-memory-deliveries.ts';
import { inMemoryImports } from '../../fakes/in-memory-imports.ts';
import { inMemoryLedger } from '../../fakes/in-memory-ledger.ts';
import { inMemoryOutbox } from '../../fakes/in-memory-outbox.ts';
import { inMemoryWebhooks } from '../../fakes/in-memory-webhooks.ts';
import { aConnection, anImport, aRow, RECORDS_NOW } from '../../support/records.ts';

const seenAt = new Date('2026-06-01T00:00:05Z');
const finding = { cause: 'secret_expired', detail: 'Expired.', seenAt } as const;

/** Storage and queues that a process loses when it dies: from the call with this number on, nothing is carried out. */
function createWorld() {
  let now = RECORDS_NOW.getTime();
  let calls = 0;
  let diesAt = Number.POSITIVE_INFINITY;
  const mortal = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, name) {
        const method = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) => {
          if (++calls >= diesAt) return Promise.reject(new Error('the process died'));
          return Reflect.apply(method, target, args);
        };
      },
    });
  const published: PublishMessage[] = [];
  const sent: DeliveryMessage[] = [];
  const deliveries = inMemoryDeliveries();
  const eventQueues = mortal({
    sendPublish: async (message: PublishMessage) => void published.push(message),
    sendDelivery: async (message: DeliveryMessage) => void sent.push(message),
  });
  const outbox = mortal(inMemoryOutbox());
  const clock = { now: () => new Date(now) };
  const stores = { connections: inMemoryConnections(), imports: inMemoryImports(), ledger: inMemoryLedger() };
  const deps = {
    connections: notingConnections({ outbox, eventQueues, clock }, mortal(stores.connections)),
    imports: notingImports({ outbox, eventQueues, clock }, mortal(stores.imports)),
    ledger: mortal(stores.ledger),
    webhooks: mortal(inMemoryWebhooks()),
    deliveries: mortal(deliveries),
    outbox,
    eventQueues,
    clock,
    alsoTell: async () => undefined,
  };
  return {
    deps,
    stores,
    deliveries,
    sent,
    calls: () => calls,
    dieAt(call: number) {
      diesAt = calls + call;
    },
    live() {
      diesAt = Number.POSITIVE_INFINITY;
    },
    async subscribe(id: string, events: EventType[], status: 'enabled' | 'disabled' = 'enabled') {
      const url = 'https://hooks.test/';
      const webhook = { id, customerId: 'cust_1', url, events, status, secretVersion: '1', createdAt: RECORDS_NOW };
      await deps.webhooks.insert(webhook, 9);
    },
    /** Handles the messages that are left, and what the sweep finds in the next minutes. */
    async settle() {
      for (let minute = 0; minute < 4; minute++) {
        for (;;) {
          const message = published.shift();
          if (!message) break;
          await publishHappenings(deps, message);
        }
        now += 61_000;
        await sweepEvents(deps);
      }
    },
    bodies: () =>
      deliveries.everything().map(({ webhookId, body }) => ({
        webhookId,
        ...(JSON.parse(body) as { id: string; type: string; data: never }),
      })),
  };
}

let world: ReturnType<typeof createWorld>;
beforeEach(() => {
  world = createWorld();
});

const fail = (connection: Connection): Connection => ({ ...connection, status: 'failing', finding });
const consent = (connection: Connection): Connection => ({ ...connection, consentedAt: seenAt });
const change = (how: (current: Connection) => Connection) =>
  changeConnection(world.deps.connections, 'cust_1', 'conn_1', how);

describe('what happens to a connection', () => {
  beforeEach(async () => {
    await world.subscribe('hook_1', ['connection.failing', 'connection.consented']);
    await world.subscribe('hook_2', ['connection.failing']);
    await world.subscribe('hook_3', ['connection.failing'], 'disabled');
    await world.stores.connections.insert(aConnection());
  });

  it('is delivered once to each webhook that subscribes to it, with the data that its schema says', async () => {
    await change(fail);
    await change((current) => ({ ...current, name: 'Renamed' }));
    await change(fail);
    await world.settle();
    const bodies = world.bodies();
    expect(bodies.map(({ webhookId }) => webhookId).sort()).toEqual(['hook_1', 'hook_2']);
    expect(bodies[0]).toMatchObject({
      type: 'connection.failing',
      version: 1,
      timestamp: seenAt.toISOString(),
      data: { connectionId: 'conn_1', finding: { cause: 'secret_expired', fix: expect.any(String) } },
    });
    expect(eventData['connection.failing'].safeParse(bodies[0]?.data).error).toBeUndefined();
    expect((await world.stores.connections.get('cust_1', 'conn_1'))?.value).not.toHaveProperty('happenings');
    expect(await world.deps.outbox.list(new Date('2030-01-01'), 9)).toEqual([]);
  });

  it('is delivered again when it happens again', async () => {
    await change(fail);
    await change(({ finding: _fixed, ...current }) => ({ ...current, status: 'ready' }));
    await change((current) => ({
      ...fail(current),
      finding: { ...finding, seenAt: new Date('2026-06-02T00:00:00Z') },
    }));
    await world.settle();
    expect(world.bodies().filter(({ webhookId }) => webhookId === 'hook_2')).toHaveLength(2);
  });

  it('is neither lost nor doubled, whenever processes die', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 1, maxLength: 4 }), async (deaths) => {
        world = createWorld();
        await world.subscribe('hook_1', ['connection.failing', 'connection.consented']);
        await world.subscribe('hook_2', ['connection.failing']);
        await world.stores.connections.insert(aConnection());
        const [first = 1, ...others] = deaths;
        world.dieAt(first);
        await change((current) => fail(consent(current))).catch(() => undefined);
        for (const death of others) {
          world.dieAt(death);
          await world.settle().catch(() => undefined);
        }
        world.live();
        await world.settle();
        const { status } = (await world.stores.connections.get('cust_1', 'conn_1'))?.value ?? aConnection();
        const expected =
          status === 'failing'
            ? ['hook_1 connection.consented', 'hook_1 connection.failing', 'hook_2 connection.failing']
            : [];
        expect(
          world
            .bodies()
            .map(({ webhookId, type }) => `${webhookId} ${type}`)
            .sort(),
        ).toEqual(expected);
        // Every delivery has had a message, or the sweep has sent one.
        expect(new Set(world.sent.map(({ webhookId, deliveryId }) => webhookId + deliveryId)).size).toBe(
          expected.length,
        );
      }),
      { numRuns: Number(process.env.RUNS ?? 100) },
    );
  });
});

describe('what happens to an import', () => {
  it('is delivered once when it pauses, also if it is resumed before that', async () => {
    await world.subscribe('hook_1', ['import.paused']);
    await world.stores.imports.insert(anImport());
    const paused = { code: 'secret_expired', detail: 'Expired.', fix: 'Replace it.', seenAt };
    await pauseImport(world.deps, 'cust_1', 'imp_1', { finding: paused, epoch: 1 });
    const found = await world.stores.imports.get('cust_1', 'imp_1');
    const { finding: _fixed, ...resumed } = found?.value ?? anImport();
    await world.stores.imports.update({ ...resumed, status: 'running' }, found?.tag ?? '');
    await world.settle();
    expect(world.bodies()).toMatchObject([{ type: 'import.paused', data: { finding: { cause: 'secret_expired' } } }]);
    expect(eventData['import.paused'].safeParse(world.bodies()[0]?.data).error).toBeUndefined();
    const left = (await world.stores.imports.get('cust_1', 'imp_1'))?.value;
    expect(left).toMatchObject({ status: 'running' });
    expect(left).not.toHaveProperty('pauseToAnnounce');
  });

  const counts = { rows: 260, accepted: 258, rejected: 2, duplicates: 0, pending: 0, waiting: 0, passed: 200 };
  const ended = anImport({
    status: 'completed',
    eventPending: true,
    finishedAt: seenAt,
    counts: { ...counts, failed: 57, inconclusive: 1, cancelled: 0 },
  });

  async function endWithRows() {
    await world.stores.imports.insert(ended);
    for (let from = 1; from <= 258; from += 60) {
      const lines = Array.from({ length: Math.min(60, 259 - from) }, (_, i) => from + i);
      await world.stores.ledger.commit(
        'conn_1',
        lines.map((line) => {
          const state = line === 258 ? 'inconclusive' : line % 9 === 0 ? 'failed' : 'passed';
          const cause = state === 'failed' ? ({ cause: 'mailbox_not_found' } as const) : {};
          return { op: 'createRow', row: aRow({ line, state, ...cause, reference: `r${line}` }) };
        }),
      );
    }
  }

  it('of mailboxes that the connection has tells only those whose verdict has changed, once', async () => {
    await world.subscribe('hook_1', ['import.completed', 'mailbox.activated', 'mailbox.failed']);
    const check = { ...ended, id: 'act_1', action: 'check' as const };
    await world.stores.imports.insert(check);
    const rows = [
      { line: 1, state: 'passed', statusBefore: 'active' },
      { line: 2, state: 'passed', statusBefore: 'failed' },
      { line: 3, state: 'failed', statusBefore: 'active', cause: 'mailbox_not_found' },
      { line: 4, state: 'failed', statusBefore: 'failed', cause: 'mailbox_not_found' },
      { line: 5, state: 'failed', statusBefore: 'active', cause: 'internal_error' },
      { line: 6, state: 'inconclusive', statusBefore: 'active' },
      { line: 7, state: 'passed', statusBefore: 'inconclusive' },
    ] as const;
    const changes = rows.map((row) => ({ op: 'createRow' as const, row: aRow({ importId: 'act_1', ...row }) }));
    await world.stores.ledger.commit('conn_1', changes);
    await publishVerdictChanges(world.deps, check);
    await publishVerdictChanges(world.deps, check);
    await world.settle();
    const told = world.bodies().map(({ type, data }) => {
      const { mailboxes, causes } = data as { mailboxes: { line: number }[]; causes?: object };
      return { type, lines: mailboxes.map(({ line }) => line), causes: Object.keys(causes ?? {}) };
    });
    expect(told.sort((a, b) => (a.type < b.type ? -1 : 1))).toEqual([
      { type: 'mailbox.activated', lines: [2, 7], causes: [] },
      { type: 'mailbox.failed', lines: [3], causes: ['mailbox_not_found'] },
    ]);
  });

  it('is delivered once when it has ended, and then its mailboxes in bundles, to those who want them', async () => {
    await world.subscribe('hook_1', ['import.completed', 'mailbox.activated', 'mailbox.failed']);
    await world.subscribe('hook_2', ['import.completed']);
    await endWithRows();
    await publishImportEnd(world.deps, ended);
    await publishImportEnd(world.deps, ended);
    await world.settle();
    const types = (hook: string) => world.bodies().flatMap(({ webhookId, type }) => (webhookId === hook ? [type] : []));
    expect(types('hook_2')).toEqual(['import.completed']);
    expect(types('hook_1').sort()).toEqual([
      'import.completed',
      'mailbox.activated',
      'mailbox.activated',
      'mailbox.activated',
      'mailbox.failed',
    ]);
    for (const { type, data } of world.bodies()) {
      expect(eventData[type as keyof typeof eventData].safeParse(data).error, type).toBeUndefined();
    }
    for (const { body } of world.deliveries.everything()) expect(body.length).toBeLessThan(32_000);
  });

  it('tells every mailbox exactly once, whenever processes die', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 4 }), async (deaths) => {
        world = createWorld();
        await world.subscribe('hook_1', ['mailbox.activated', 'mailbox.failed']);
        await endWithRows();
        for (const death of deaths) {
          world.dieAt(death);
          await publishImportEnd(world.deps, ended)
            .then(() => world.settle())
            .catch(() => undefined);
        }
        world.live();
        // The import's end is announced until that was recorded.
        await publishImportEnd(world.deps, ended);
        await world.settle();
        const told = world.bodies().flatMap(({ data }) => (data as { mailboxes: { line: number }[] }).mailboxes);
        const lines = told.map(({ line }) => line).sort((a, b) => a - b);
        expect(lines).toEqual(Array.from({ length: 257 }, (_, i) => i + 1));
      }),
      { numRuns: Number(process.env.RUNS ?? 30) },
    );
  });

  it('costs nothing for the mailboxes when nobody subscribes to them', async () => {
    await world.subscribe('hook_1', ['import.completed']);
    await endWithRows();
    const before = world.calls();
    await publishImportEnd(world.deps, ended);
    // Webhooks twice, the pointer, the delivery and its message.
    expect(world.calls() - before).toBe(5);
  });
});
