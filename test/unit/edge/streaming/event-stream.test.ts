import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { framesOf, newEventTimes, type ServerEvent } from '../../../../shared/edge/streaming/event-stream.ts';
import type { Outlet } from '../../../../shared/edge/streaming/outlets.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const times = { heartbeatMs: 15_000, lastsMs: 200_000, stalledAfterMs: 60_000, verifyMs: 1_000 };
const valid = async () => true;
const event = (id: number): ServerEvent => ({ event: 'progress', id: String(id), data: { text: `a\nb ${id}` } });

/** A source of events that come when the test says so. */
function createSource() {
  const waiting: ((events: ServerEvent[] | undefined) => void)[] = [];
  const state = { asked: 0, isStopped: false };
  async function* open(signal: AbortSignal) {
    signal.addEventListener('abort', () => waiting.shift()?.(undefined), { once: true });
    try {
      for (;;) {
        state.asked++;
        const events = await new Promise<ServerEvent[] | undefined>((resolve) => void waiting.push(resolve));
        if (!events) return;
        yield events;
      }
    } finally {
      state.isStopped = true;
    }
  }
  return {
    open,
    state,
    send: (...events: ServerEvent[]) => waiting.shift()?.(events),
    end: () => waiting.shift()?.(undefined),
  };
}

/** Reads a stream to its end, with the time at which each part came. */
function collect(frames: AsyncIterable<Uint8Array>) {
  const parts: { at: number; text: string }[] = [];
  const startedAt = Date.now();
  const over = (async () => {
    for await (const bytes of frames) parts.push({ at: Date.now() - startedAt, text: new TextDecoder().decode(bytes) });
    return Date.now() - startedAt;
  })();
  return { parts, over, texts: () => parts.map(({ text }) => text) };
}

/** A client that leaves or takes nothing when the test says so. */
function createOutlet() {
  const state = { ready: 'ready' as 'ready' | 'gone' | 'stalled', isBroken: false, askedMs: 0 };
  let onClose: (() => void)[] = [];
  const outlet: Outlet = {
    untilReady: async (ms) => {
      state.askedMs = ms;
      return state.ready;
    },
    break: () => {
      state.isBroken = true;
    },
    onClose: (callback) => void onClose.push(callback),
  };
  return {
    outlet,
    state,
    leave() {
      state.ready = 'gone';
      for (const callback of onClose) callback();
      onClose = [];
    },
  };
}

it('sends when to come back first, then events with their ids, and texts in one line', async () => {
  const source = createSource();
  const ends: unknown[] = [];
  const stream = collect(framesOf(undefined, source.open, (end) => void ends.push(end), times, valid));
  await vi.advanceTimersByTimeAsync(0);
  expect(stream.texts()).toEqual(['retry: 2000\n\n']);
  source.send(event(1), event(2));
  await vi.advanceTimersByTimeAsync(0);
  expect(stream.texts().slice(1)).toEqual([
    'event: progress\nid: 1\ndata: {"text":"a\\nb 1"}\n\n',
    'event: progress\nid: 2\ndata: {"text":"a\\nb 2"}\n\n',
  ]);
  source.end();
  await stream.over;
  expect(ends).toEqual([{ how: 'complete', events: 2 }]);
});

it('sends a comment after each 15 seconds without an event', async () => {
  const source = createSource();
  const stream = collect(framesOf(undefined, source.open, () => undefined, times, valid));
  await vi.advanceTimersByTimeAsync(40_000);
  source.send(event(1));
  await vi.advanceTimersByTimeAsync(20_000);
  const comments = stream.parts.filter(({ text }) => text === ':\n\n').map(({ at }) => at);
  expect(comments).toEqual([15_000, 30_000, 55_000]);
});

it('ends before the 230 seconds of the platform, also while events never stop, and stops its source', async () => {
  const source = createSource();
  const ends: unknown[] = [];
  const stream = collect(framesOf(undefined, source.open, (end) => void ends.push(end), newEventTimes(), valid));
  for (let id = 0; id < 2_300; id++) {
    source.send(event(id));
    await vi.advanceTimersByTimeAsync(100);
  }
  const endedAt = await stream.over;
  expect(endedAt).toBeGreaterThanOrEqual(195_000);
  expect(endedAt).toBeLessThan(221_000);
  expect(source.state.isStopped).toBe(true);
  expect(ends).toEqual([{ how: 'over', events: expect.any(Number) }]);
});

it('streams that began together end at different times', () => {
  const lasts = new Set(Array.from({ length: 20 }, () => Math.round(newEventTimes().lastsMs)));
  expect(lasts.size).toBeGreaterThan(10);
});

it('asks the source for nothing as long as the client takes nothing, and breaks the connection in the end', async () => {
  const source = createSource();
  const { outlet, state } = createOutlet();
  const ends: unknown[] = [];
  let resolveReady: (state: 'ready' | 'stalled') => void = () => undefined;
  outlet.untilReady = () => {
    const { promise, resolve } = Promise.withResolvers<'ready' | 'stalled'>();
    resolveReady = resolve;
    return promise;
  };
  const stream = collect(framesOf(outlet, source.open, (end) => void ends.push(end), times, valid));
  await vi.advanceTimersByTimeAsync(0);
  source.send(event(1));
  await vi.advanceTimersByTimeAsync(50_000);
  expect(source.state.asked).toBe(1);
  expect(stream.parts).toHaveLength(1);
  resolveReady('ready');
  await vi.advanceTimersByTimeAsync(0);
  expect(source.state.asked).toBe(2);
  source.send(event(2));
  await vi.advanceTimersByTimeAsync(0);
  resolveReady('stalled');
  await stream.over;
  expect(state.isBroken).toBe(true);
  expect(source.state.isStopped).toBe(true);
  expect(ends).toEqual([{ how: 'slow', events: 1 }]);
});

it('stops immediately when the client leaves', async () => {
  const source = createSource();
  const { outlet, leave } = createOutlet();
  const ends: unknown[] = [];
  const stream = collect(framesOf(outlet, source.open, (end) => void ends.push(end), times, valid));
  await vi.advanceTimersByTimeAsync(1_000);
  leave();
  expect(await stream.over).toBe(1_000);
  expect(source.state.isStopped).toBe(true);
  expect(ends).toEqual([{ how: 'left', events: 0 }]);
});

it('breaks the connection if the source fails', async () => {
  const { outlet, state } = createOutlet();
  const ends: unknown[] = [];
  const next = () => Promise.reject(new Error('a defect'));
  const failing = () => ({ [Symbol.asyncIterator]: () => ({ next }) });
  const stream = collect(framesOf(outlet, failing, (end) => void ends.push(end), times, valid));
  await expect(stream.over).rejects.toThrow('a defect');
  expect(state.isBroken).toBe(true);
  expect(ends).toMatchObject([{ how: 'failed' }]);
});

it('ends soon after the key has stopped working, and sends nothing more', async () => {
  const source = createSource();
  const ends: unknown[] = [];
  let isValid = true;
  const frames = framesOf(
    undefined,
    source.open,
    (end) => void ends.push(end),
    times,
    async () => isValid,
  );
  const stream = collect(frames);
  await vi.advanceTimersByTimeAsync(5_000);
  source.send(event(1));
  await vi.advanceTimersByTimeAsync(0);
  isValid = false;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await stream.over).toBe(6_000);
  expect(stream.texts()).toHaveLength(2);
  expect(ends).toEqual([{ how: 'revoked', events: 1 }]);
  expect([source.state.isStopped, vi.getTimerCount()]).toEqual([true, 0]);
});

it('sends a client that takes nothing no event that is due after its key was revoked', async () => {
  const source = createSource();
  const ends: unknown[] = [];
  const { promise: ready, resolve } = Promise.withResolvers<'ready'>();
  const outlet: Outlet = { untilReady: () => ready, break: () => undefined, onClose: () => undefined };
  let isValid = true;
  const frames = framesOf(
    outlet,
    source.open,
    (end) => void ends.push(end),
    times,
    async () => isValid,
  );
  const stream = collect(frames);
  await vi.advanceTimersByTimeAsync(0);
  source.send(event(1));
  isValid = false;
  await vi.advanceTimersByTimeAsync(2_000);
  resolve('ready');
  await stream.over;
  expect(stream.texts()).toEqual(['retry: 2000\n\n']);
  expect(ends).toEqual([{ how: 'revoked', events: 0 }]);
});
