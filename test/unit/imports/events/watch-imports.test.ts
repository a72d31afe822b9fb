import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { END_ID, formatPosition, parsePosition } from '../../../../shared/imports/events/position.ts';
import type { ImportEvent } from '../../../../shared/imports/events/tell.ts';
import { createImportWatches } from '../../../../shared/imports/events/watch-imports.ts';
import type { Import } from '../../../../shared/imports/import.ts';
import { countRows } from '../../../../shared/imports/ledger/counts.ts';
import type { Ledger } from '../../../../shared/imports/ledger/ledger.ts';
import type { PlanRecord } from '../../../../shared/imports/ledger/plan-record.ts';
import type { SettledState } from '../../../../shared/imports/ledger/row.ts';
import { sumTallies } from '../../../../shared/imports/ledger/tally.ts';
import { createTallyBook } from '../../../../shared/imports/ledger/tally-book.ts';
import { DomainError } from '../../../../shared/kernel/errors.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { anImport, aPlan } from '../../../support/records.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const clock = { now: () => new Date() };
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A running import of so many rows, what its writers do, and the processes that show it. */
async function createScene(rows: number, change: Partial<Import> = {}, planned: Partial<PlanRecord> = {}) {
  const scene = { record: anImport({ startedAt: clock.now(), ...change }) as Import | undefined };
  const ledger = inMemoryLedger();
  const plan = aPlan({ rows, accepted: rows, done: true });
  await ledger.commit('conn_1', [{ op: 'createPlan', plan: { ...plan, ...planned } }]);
  const requests: { at: number; what: string }[] = [];
  let isAvailable = true;
  const counted = <Args extends unknown[], Result>(what: string, call: (...args: Args) => Promise<Result>) => {
    return async (...args: Args) => {
      requests.push({ at: Date.now(), what });
      if (!isAvailable) throw new DomainError('storage_unavailable', 'Unavailable.');
      return call(...args);
    };
  };
  let line = 0;
  return {
    ledger,
    requests,
    scene,
    rowsLeft: () => rows - line,
    async changePlan(changeOf: (current: PlanRecord) => Partial<PlanRecord>) {
      const current = await ledger.getPlan('conn_1', 'imp_1');
      if (!current) throw new Error('there is no plan');
      const patch = changeOf(current.value);
      await ledger.commit('conn_1', [{ op: 'mergePlan', importId: 'imp_1', patch, tag: current.tag }]);
    },
    setAvailable(value: boolean) {
      isAvailable = value;
    },
    /** A process that settles rows, with a clock that is wrong by so much. */
    startWriter(name: string, skewMs = 0) {
      const book = createTallyBook(name, { write: () => undefined }, { now: () => new Date(Date.now() + skewMs) });
      return {
        async settle(count: number, state: SettledState = 'passed', isAnswerLost = false) {
          const mailboxes = Array.from({ length: count }, () => {
            line++;
            return { line, address: `user${line}@contoso.example`, state };
          });
          const entry = book.add('imp_1', { [state]: count }, mailboxes);
          const result = await ledger.commit('conn_1', entry.changes);
          if (isAnswerLost) entry.abandon();
          else if (result.committed) entry.committed(result.tags.at(-1) ?? '');
        },
      };
    },
    /** Writes the end state, with the final counts. */
    async end() {
      const counts = countRows(plan, sumTallies(await ledger.listTallies('conn_1', 'imp_1')));
      if (scene.record) scene.record = { ...scene.record, status: 'completed', counts, finishedAt: clock.now() };
    },
    startProcess() {
      const watched = {
        imports: {
          get: counted('record', async () => (scene.record ? { value: scene.record, tag: 'tag' } : undefined)),
        },
        ledger: {
          getPlan: counted('plan', ledger.getPlan),
          readSettled: counted('log', (...args: Parameters<Ledger['readSettled']>) => ledger.readSettled(...args)),
        },
      };
      const { watch } = createImportWatches({ ...watched, clock, sleep, log: () => undefined });
      return {
        /** Someone who notes every event. */
        listen(lastEventId?: string) {
          const events: ImportEvent[] = [];
          const stopping = new AbortController();
          const state = { isOver: false };
          const record = scene.record ?? anImport();
          const done = (async () => {
            for await (const some of watch(record, lastEventId, stopping.signal)) events.push(...some);
            state.isOver = true;
          })();
          return {
            events,
            state,
            done,
            stop: () => stopping.abort(),
            percents: () => events.flatMap((one) => (one.kind === 'progress' ? [one.progress.percent] : [])),
            lines: () => events.flatMap((one) => (one.kind === 'mailbox' ? one.mailboxes.map((it) => it.line) : [])),
            kinds: () => events.map(({ kind }) => kind),
            lastId: () => events.at(-1)?.id,
          };
        },
        /** Someone who takes one event after the other when they like. */
        open: (lastEventId?: string, signal = new AbortController().signal) =>
          watch(scene.record ?? anImport(), lastEventId, signal),
      };
    },
  };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const requestsInAnySecond = (requests: readonly { at: number }[]) =>
  requests.map(({ at }) => requests.filter((other) => other.at >= at && other.at < at + 1_000).length);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

it('tells the progress first, then each mailbox once and each whole percent once, and the end', async () => {
  const world = await createScene(1_000);
  const listener = world.startProcess().listen();
  const writer = world.startWriter('a');
  await pass(10);
  expect(listener.kinds()).toEqual(['progress']);
  while (world.rowsLeft() > 0) {
    await writer.settle(8, world.rowsLeft() % 3 ? 'passed' : 'failed');
    await pass(100);
  }
  await pass(5_000);
  expect(listener.lines()).toEqual(upTo(1_000));
  expect(listener.kinds()).not.toContain('done');
  await world.end();
  await pass(5_000);
  expect(listener.kinds().slice(-2)).toEqual(['progress', 'done']);
  expect(new Set(listener.percents()).size).toBe(listener.percents().length);
  expect(new Set(listener.percents().map(Math.floor))).toEqual(new Set([0, ...upTo(100)]));
  expect(listener.state.isOver).toBe(true);
  expect(listener.lastId()).toBe(END_ID);
});

it('a progress counts exactly the mailboxes that were told before it', async () => {
  const world = await createScene(300);
  const listener = world.startProcess().listen();
  const writer = world.startWriter('a');
  await pass(10);
  for (const state of ['passed', 'failed', 'inconclusive', 'cancelled'] as const) {
    await writer.settle(75, state);
    await pass(1_500);
  }
  let told = 0;
  for (const event of listener.events) {
    if (event.kind === 'mailbox') told += event.mailboxes.length;
    else {
      const { accepted, pending, waiting, passed, failed, inconclusive, cancelled } = event.progress.counts;
      expect(passed + failed + inconclusive + cancelled).toBe(told);
      expect(pending + waiting + told).toBe(accepted);
    }
  }
  expect(told).toBe(300);
});

it('one read a second for 100 listeners, and none after the last one has left', async () => {
  const world = await createScene(100_000);
  const process = world.startProcess();
  const listeners = upTo(100).map(() => process.listen());
  await pass(10);
  const writer = world.startWriter('a');
  for (let second = 0; second < 60; second++) {
    await writer.settle(40);
    await pass(1_000);
  }
  await pass(1_500);
  expect(world.requests.length).toBeLessThanOrEqual(62);
  expect(world.requests.length).toBeGreaterThan(40);
  for (const { lines } of listeners) expect(lines()).toEqual(upTo(2_400));
  for (const { stop } of listeners) stop();
  await Promise.all(listeners.map(({ done }) => done));
  await pass(2_000);
  const before = world.requests.length;
  await pass(60_000);
  expect(world.requests.length).toBe(before);
  const later = process.listen();
  await pass(10);
  expect(later.kinds()).toEqual(['progress']);
});

it('reads less often while nothing happens', async () => {
  const world = await createScene(100);
  world.startProcess().listen();
  await pass(60_000);
  expect(world.requests.length).toBeLessThan(30);
});

it('a listener that takes nothing keeps nothing in memory, delays nobody, and gets everything when it takes again', async () => {
  const world = await createScene(10_000);
  const process = world.startProcess();
  const quick = process.listen();
  const slow = process.open();
  const first = slow.next();
  await pass(10);
  const [progress] = (await first).value ?? [];
  expect(progress?.kind).toBe('progress');
  const writer = world.startWriter('a');
  const readSettled = vi.spyOn(world.ledger, 'readSettled');
  const startedAt = Date.now() - 3_000;
  for (let second = 0; second < 60; second++) {
    await writer.settle(49);
    await pass(1_000);
  }
  await pass(2_000);
  expect(quick.lines()).toEqual(upTo(60 * 49));
  // What nobody takes is not read either: each read is about the newest seconds.
  for (const [, , from] of readSettled.mock.calls.slice(5)) expect(from.getTime()).toBeGreaterThan(startedAt);
  const lines: number[] = [];
  while (lines.length < 60 * 49) {
    const next = slow.next();
    await pass(10_000);
    const events: readonly ImportEvent[] = (await next).value ?? [];
    for (const event of events) {
      if (event.kind === 'mailbox') lines.push(...event.mailboxes.map((mailbox) => mailbox.line));
    }
  }
  expect(lines).toEqual(upTo(60 * 49));
});

it('goes on after any event, on another process, with nothing twice and nothing missing', async () => {
  const world = await createScene(600);
  const first = world.startProcess().listen();
  const writer = world.startWriter('a');
  await pass(10);
  for (let i = 0; i < 30; i++) {
    await writer.settle(10);
    await pass(300);
  }
  await pass(2_000);
  first.stop();
  await first.done;
  await writer.settle(300);
  await world.end();
  for (const [i, { id }] of first.events.entries()) {
    const before = first.events.slice(0, i + 1);
    const told = before.flatMap((one) => (one.kind === 'mailbox' ? one.mailboxes : [])).length;
    const percents = before.flatMap((one) => (one.kind === 'progress' ? [one.progress.percent] : []));
    const second = world.startProcess().listen(id);
    await pass(3_000);
    expect(second.lines()).toEqual(upTo(600).slice(told));
    const all = [...percents, ...second.percents()];
    expect(new Set(all).size).toBe(all.length);
    expect(second.kinds().filter((kind) => kind === 'done')).toHaveLength(1);
    await second.done;
  }
});

it('an import that has ended tells its last progress and its end at once, without a read', async () => {
  const world = await createScene(5);
  await world.startWriter('a').settle(5);
  await world.end();
  const listener = world.startProcess().listen();
  await pass(0);
  expect(listener.kinds()).toEqual(['progress', 'done']);
  expect(listener.percents()).toEqual([100]);
  await pass(5_000);
  expect(world.requests).toEqual([]);
});

it('tells a pause and a resume once each', async () => {
  const world = await createScene(100);
  const listener = world.startProcess().listen();
  await pass(10_000);
  const finding = { code: 'secret_expired', detail: 'Expired.', seenAt: clock.now() };
  if (world.scene.record) world.scene.record = { ...world.scene.record, status: 'paused', finding };
  await pass(30_000);
  const { finding: _fixed, ...rest } = world.scene.record ?? anImport();
  world.scene.record = { ...rest, status: 'running' };
  await pass(30_000);
  const statuses = listener.events.map((one) => (one.kind === 'progress' ? one.progress.record.status : one.kind));
  expect(statuses).toEqual(['running', 'paused', 'running']);
});

it('follows an import from planning on', async () => {
  const world = await createScene(50, { status: 'planning' });
  const listener = world.startProcess().listen();
  await pass(3_000);
  if (world.scene.record) world.scene.record = { ...world.scene.record, status: 'running' };
  await world.startWriter('a').settle(50);
  await pass(5_000);
  await world.end();
  await pass(5_000);
  expect(listener.lines()).toEqual(upTo(50));
  expect(listener.kinds().at(-1)).toBe('done');
});

it('follows an action that is done while it is planned: each mailbox once, and each whole percent once', async () => {
  const change = { action: 'pause', status: 'accepted', uploadedRows: 1_000 } as const;
  const world = await createScene(1_000, change, { rows: 0, accepted: 0, done: false });
  const process = world.startProcess();
  const first = process.listen();
  await pass(10);
  if (world.scene.record) world.scene.record = { ...world.scene.record, status: 'planning' };
  const writer = world.startWriter('a');
  const plan = async (count: number) => {
    await writer.settle(count);
    await world.changePlan((current) => ({ rows: current.rows + count, accepted: current.accepted + count }));
  };
  for (let group = 0; group < 20; group++) {
    await plan(25);
    await pass(1_000);
  }
  const percents = first.percents();
  expect(percents.length).toBeGreaterThan(5);
  expect(percents.at(-1)).toBeGreaterThan(40);
  // Somebody who comes in the middle is told what follows, and counts that are right.
  const second = process.listen();
  await pass(5_000);
  const [begin] = second.events;
  const told = begin?.kind === 'progress' ? begin.progress.counts.passed : 0;
  expect(told).toBeGreaterThan(400);
  for (let group = 0; group < 20; group++) {
    await plan(25);
    await pass(1_000);
  }
  await world.changePlan(() => ({ done: true }));
  await world.end();
  await pass(20_000);
  expect(first.lines()).toEqual(upTo(1_000));
  expect(second.lines()).toEqual(upTo(1_000).slice(told));
  // The first one is told when the action begins to be planned as well.
  const [, ...later] = first.percents();
  expect(new Set(later).size).toBe(later.length);
  for (const { kinds, percents } of [first, second]) {
    expect(kinds().at(-1)).toBe('done');
    expect(percents().at(-1)).toBe(100);
  }
  const counts = first.events.flatMap((one) => (one.kind === 'mailbox' ? [] : [one.progress.counts]));
  expect(counts.filter(({ pending }) => pending < 0)).toEqual([]);
  expect(Math.max(...requestsInAnySecond(world.requests))).toBeLessThanOrEqual(2);
});

it('goes on after an outage of storage, and ends when the import is gone', async () => {
  const world = await createScene(100);
  const listener = world.startProcess().listen();
  await pass(2_000);
  world.setAvailable(false);
  await world.startWriter('a').settle(20);
  await pass(60_000);
  expect(listener.lines()).toEqual([]);
  world.setAvailable(true);
  await pass(10_000);
  expect(listener.lines()).toEqual(upTo(20));
  world.scene.record = undefined;
  await pass(30_000);
  expect(listener.state.isOver).toBe(true);
});

it('an import whose log was removed after its end still tells the end', async () => {
  const world = await createScene(100);
  const first = world.startProcess().listen();
  await world.startWriter('a').settle(40);
  await pass(3_000);
  first.stop();
  await world.startWriter('b').settle(60);
  await world.end();
  while (!(await world.ledger.purgeImport('conn_1', 'imp_1')));
  const second = world.startProcess().listen(first.lastId());
  await pass(30_000);
  expect(second.kinds()).toEqual(['progress', 'done']);
  expect(second.percents()).toEqual([100]);
});

it('more than one page of the log is told in parts', async () => {
  const world = await createScene(5_000);
  const first = world.startProcess().listen();
  await pass(1_000);
  const id = first.lastId();
  first.stop();
  const writer = world.startWriter('a');
  for (let i = 0; i < 2_500; i++) await writer.settle(2);
  const second = world.startProcess().listen(id);
  await pass(20_000);
  expect(second.lines()).toEqual(upTo(5_000));
});

it('property: several writers with wrong clocks and lost answers, listeners that come and go: each mailbox is told once', async () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ writer: fc.nat(3), count: fc.integer({ min: 1, max: 30 }), isLost: fc.nat(9) }),
    },
    { weight: 3, arbitrary: fc.record({ waitMs: fc.integer({ min: 0, max: 5_000 }) }) },
    { weight: 1, arbitrary: fc.record({ waitMs: fc.integer({ min: 600_000, max: 1_500_000 }) }) },
    { weight: 1, arbitrary: fc.constant('reconnect' as const) },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 10, maxLength: 80 }),
      fc.array(fc.integer({ min: -20_000, max: 20_000 }), { minLength: 4, maxLength: 4 }),
      async (steps, skews) => {
        const world = await createScene(100_000);
        const writers = skews.map((skewMs, i) => world.startWriter(`w${i}`, skewMs));
        let listener = world.startProcess().listen();
        await pass(100);
        const lines: number[] = [];
        let settled = 0;
        const reconnect = async () => {
          listener.stop();
          await listener.done;
          lines.push(...listener.lines());
          lastId = listener.lastId() ?? lastId;
          listener = world.startProcess().listen(lastId);
        };
        let lastId = listener.lastId();
        for (const one of steps) {
          if (one === 'reconnect') await reconnect();
          else if ('waitMs' in one) await pass(one.waitMs);
          else {
            await writers[one.writer]?.settle(one.count, 'passed', one.isLost === 0);
            settled += one.count;
          }
        }
        await pass(60_000);
        listener.stop();
        await listener.done;
        lines.push(...listener.lines());
        expect(lines.toSorted((a, b) => a - b)).toEqual(upTo(settled));
      },
    ),
    // Each run takes a while, so a failure is shown as it is.
    { numRuns: Number(process.env.RUNS ?? 25), endOnFailure: true },
  );
});

it('reads its own positions, and refuses anything else', () => {
  const position = {
    since: 1_780_000_000_000,
    writers: new Map([['a1b2.1', { serial: 12, at: 1_780_000_000_000 }]]),
    told: { passed: 40, failed: 3, inconclusive: 2, cancelled: 1 },
    percent: 12.3,
    state: 'aB-_1234',
  };
  expect(parsePosition(formatPosition(position))).toEqual(position);
  const fresh = { ...position, writers: new Map(), percent: -1, state: '' };
  expect(parsePosition(formatPosition(fresh))).toEqual(fresh);
  for (const text of ['', 'end', '1', '1.a.b', `${formatPosition(position)}~`, '~'.repeat(20_000), 'x'.repeat(99)]) {
    expect(parsePosition(text), text).toBeUndefined();
  }
  fc.assert(fc.property(fc.string(), (text) => void parsePosition(text)));
});
