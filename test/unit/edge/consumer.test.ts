import { InvocationContext } from '@azure/functions';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Consumer, createConsumer } from '../../../shared/edge/consumer.ts';
import { createTimer } from '../../../shared/edge/timer.ts';
import { DomainError } from '../../../shared/kernel/errors.ts';
import { inMemoryHeartbeats } from '../../fakes/in-memory-heartbeats.ts';

const message = z.strictObject({ v: z.literal(1), line: z.int() });

function createContext(triggerMetadata: Record<string, unknown> = {}) {
  const lines: string[] = [];
  const logHandler = (_: string, ...texts: unknown[]) => void lines.push(texts.map(String).join(' '));
  const init = { functionName: 'q', invocationId: 'i', logHandler };
  return { context: Object.assign(new InvocationContext(init), { triggerMetadata }), lines };
}

const throwing = (error: unknown): Pick<Consumer<z.infer<typeof message>>, 'message' | 'handle'> => ({
  message,
  handle: async () => {
    throw error;
  },
});
const weather = new DomainError('storage_unavailable', 'Away.', { retryAfterSeconds: 7 });
const refusal = new DomainError('not_found', 'Gone.');

describe('a consumer', () => {
  it('resolves to nothing, whatever its work came to', async () => {
    const seen: unknown[] = [];
    const handle = async (...call: unknown[]) => void seen.push(call);
    const consume = createConsumer({ message, handle });
    const { context } = createContext({ dequeueCount: 3 });
    expect(await consume({ v: 1, line: 2 }, context)).toBeUndefined();
    expect(seen).toMatchObject([[{ v: 1, line: 2 }, { dequeueCount: 3 }]]);
  });

  it('lets a message of unknown shape end in poison, and prints nothing of it', async () => {
    const consume = createConsumer({ message, handle: async () => undefined });
    const { context, lines } = createContext();
    await expect(consume({ v: 1, line: 'hush-hush' }, context)).rejects.toThrow('unknown shape');
    expect(lines.join()).not.toContain('hush-hush');
  });

  it('postpones weather and records refusals, where it is told how', async () => {
    const fates: unknown[] = [];
    const hooks = {
      postpone: async (
        ...[{ line }, { code }, seconds]: [{ line: number }, DomainError, number | undefined, unknown]
      ) => void fates.push(['postpone', line, code, seconds]),
      giveUp: async (...[{ line }, { code }]: [{ line: number }, DomainError, unknown]) =>
        void fates.push(['giveUp', line, code]),
    };
    for (const error of [weather, refusal]) {
      await createConsumer({ ...throwing(error), ...hooks })({ v: 1, line: 1 }, createContext().context);
    }
    expect(fates).toEqual([
      ['postpone', 1, 'storage_unavailable', 7],
      ['giveUp', 1, 'not_found'],
    ]);
    const defect = createConsumer({ ...throwing(new TypeError('defect')), ...hooks });
    await expect(defect({ v: 1, line: 1 }, createContext().context)).rejects.toThrow('defect');
    expect(fates).toHaveLength(2);
  });

  // The worker rethrows only what is an Error; anything else would count as success and the message be lost.
  it.each([weather, refusal, new TypeError('defect'), 'a string'])(
    'else lets it escape as an Error: %s',
    async (error) => {
      const consume = createConsumer(throwing(error));
      await expect(consume({ v: 1, line: 1 }, createContext().context)).rejects.toBeInstanceOf(Error);
    },
  );
});

describe('a timer', () => {
  const at = new Date('2026-06-01T00:00:00Z');
  const tick = { isPastDue: false } as Parameters<ReturnType<typeof createTimer>>[0];

  it('leaves a heartbeat when it ran through, and none when it failed', async () => {
    const needs = { clock: { now: () => at }, heartbeats: inMemoryHeartbeats() };
    const failing = async () => {
      throw new Error('no');
    };
    await expect(createTimer(needs, { name: 't', handle: failing })(tick, createContext().context)).rejects.toThrow(
      'no',
    );
    expect(await needs.heartbeats.latest()).toBeUndefined();
    await createTimer(needs, { name: 't', handle: async () => undefined })(tick, createContext().context);
    expect(await needs.heartbeats.latest()).toEqual(at);
  });
});
