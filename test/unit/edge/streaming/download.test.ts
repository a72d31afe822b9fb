import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { atPaceOf } from '../../../../shared/edge/streaming/download.ts';
import type { Outlet } from '../../../../shared/edge/streaming/outlets.ts';
import { createPlaces } from '../../../../shared/edge/streaming/places.ts';

/** A connection that answers `untilReady` as told, one answer after the other, and then with `ready`. */
function anOutlet(answers: Awaited<ReturnType<Outlet['untilReady']>>[] = []) {
  const state = { broken: 0, waits: [] as number[] };
  const outlet: Outlet = {
    untilReady: async (ms) => {
      state.waits.push(ms);
      return answers.shift() ?? 'ready';
    },
    break: () => void state.broken++,
    onClose: () => undefined,
  };
  return { outlet, state };
}

function aSource(count: number, failAt = -1) {
  const state = { read: 0, isOver: false };
  async function* chunks() {
    try {
      for (let i = 0; i < count; i++) {
        if (i === failAt) throw new Error('storage failed');
        state.read++;
        yield Buffer.from('chunk');
      }
    } finally {
      state.isOver = true;
    }
  }
  return { chunks: chunks(), state };
}

const limits = { stalledAfterMs: 60_000, maxMs: 480_000 };
const drain = async (stream: AsyncIterable<Uint8Array>) => (await Array.fromAsync(stream)).length;

describe('a download', () => {
  it('passes everything on and says how much it was', async () => {
    const ends: unknown[] = [];
    const { outlet, state } = anOutlet();
    expect(await drain(atPaceOf(outlet, aSource(3).chunks, (end) => ends.push(end), limits))).toBe(3);
    expect(ends).toEqual([{ how: 'complete', bytes: 15 }]);
    expect(state).toEqual({ broken: 0, waits: [60_000, 60_000, 60_000] });
  });

  it('stops reading its source when the client has left, and breaks nothing', async () => {
    const ends: unknown[] = [];
    const source = aSource(100);
    const { outlet, state } = anOutlet(['ready', 'gone']);
    expect(await drain(atPaceOf(outlet, source.chunks, (end) => ends.push(end), limits))).toBe(1);
    expect([source.state, ends, state.broken]).toEqual([{ read: 2, isOver: true }, [{ how: 'left', bytes: 5 }], 0]);
  });

  it('breaks the connection to a client that takes nothing', async () => {
    const ends: unknown[] = [];
    const source = aSource(100);
    const { outlet, state } = anOutlet(['ready', 'stalled']);
    expect(await drain(atPaceOf(outlet, source.chunks, (end) => ends.push(end), limits))).toBe(1);
    expect([source.state.isOver, ends, state.broken]).toEqual([true, [{ how: 'slow', bytes: 5 }], 1]);
  });

  it('breaks the connection when it takes too long altogether', async () => {
    const ends: unknown[] = [];
    const { outlet, state } = anOutlet();
    const stream = atPaceOf(outlet, aSource(100).chunks, (end) => ends.push(end), {
      stalledAfterMs: 60_000,
      maxMs: 30,
    });
    await stream.next();
    await pause(40);
    expect((await stream.next()).done).toBe(true);
    expect([ends, state.broken]).toEqual([[{ how: 'slow', bytes: 5 }], 1]);
  });

  it('breaks the connection and rejects when its source fails', async () => {
    const ends: { how: string }[] = [];
    const { outlet, state } = anOutlet();
    const stream = atPaceOf(outlet, aSource(5, 2).chunks, (end) => ends.push(end), limits);
    await expect(drain(stream)).rejects.toThrow('storage failed');
    expect([ends[0]?.how, state.broken]).toEqual(['failed', 1]);
  });
});

it('each caller has its own places, and a place that is left twice is free once', () => {
  const places = createPlaces(2);
  const leave = places.take('acme');
  expect(places.take('acme')).toBeDefined();
  expect(places.take('acme')).toBeUndefined();
  expect(places.take('globex')).toBeDefined();
  leave?.();
  leave?.();
  expect(places.take('acme')).toBeDefined();
  expect(places.take('acme')).toBeUndefined();
});
