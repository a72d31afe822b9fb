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

type Message = z.infer<typeof message>;

/** A consumer that notes what it sends again. */
function consumerOf(handle: Consumer<Message>['handle'], more: Partial<Consumer<Message>> = {}) {
  const sentAgain: [Message, number][] = [];
  const sendAgain = async (sent: Message, delayMs: number) => void sentAgain.push([sent, delayMs]);
  return { consume: createConsumer({ message, handle, sendAgain, retryDelayMs: 15_000, ...more }), sentAgain };
}

const throwing = (error: unknown) => async () => {
  throw error;
};
const transient = (retryAfterSeconds?: number) =>
  new DomainError('storage_unavailable', 'Unavailable.', retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
const refusal = new DomainError('not_found', 'Gone.');

describe('a consumer', () => {
  it('resolves to nothing, whatever its handler resolves to', async () => {
    const seen: unknown[] = [];
    const { consume } = consumerOf(async (...call) => void seen.push(call));
    const { context } = createContext({ dequeueCount: 3 });
    expect(await consume({ v: 1, line: 2 }, context)).toBeUndefined();
    expect(seen).toMatchObject([[{ v: 1, line: 2 }, { dequeueCount: 3 }]]);
  });

  it('lets a message of unknown shape end in poison, and logs nothing of it', async () => {
    const { consume } = consumerOf(async () => undefined);
    const { context, lines } = createContext();
    await expect(consume({ v: 1, line: 'hush-hush' }, context)).rejects.toThrow('unknown shape');
    expect(lines.join()).not.toContain('hush-hush');
  });

  it('sends again what its handler returns', async () => {
    const retry = { message: { v: 1, line: 9 } as const, delayMs: 400 };
    const { consume, sentAgain } = consumerOf(async () => retry);
    await consume({ v: 1, line: 2 }, createContext().context);
    expect(sentAgain).toEqual([[retry.message, 400]]);
  });

  it.each([
    ['after the time that the failure names', transient(7), 7_000],
    ['after its own delay when the failure names no time', transient(), 15_000],
  ])('sends a message again after a transient failure, %s', async (_when, error, delayMs) => {
    const { consume, sentAgain } = consumerOf(throwing(error), { afterFailure: (sent) => ({ ...sent, line: 99 }) });
    expect(await consume({ v: 1, line: 1 }, createContext().context)).toBeUndefined();
    expect(sentAgain).toEqual([[{ v: 1, line: 99 }, delayMs]]);
  });

  it('leaves a message to the sweep, and says so, when it cannot be sent again', async () => {
    const { consume } = consumerOf(throwing(transient()), { sendAgain: throwing(transient()) });
    const { context, lines } = createContext();
    expect(await consume({ v: 1, line: 1 }, context)).toBeUndefined();
    expect(lines.join()).toContain('message_left_to_the_sweep');
  });

  // The worker rethrows only what is an Error. Anything else would count as success, and the message would be lost.
  it.each([refusal, new TypeError('defect'), 'a string'])(
    'lets anything else escape as an Error: %s',
    async (error) => {
      const { consume, sentAgain } = consumerOf(throwing(error));
      await expect(consume({ v: 1, line: 1 }, createContext().context)).rejects.toBeInstanceOf(Error);
      expect(sentAgain).toEqual([]);
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
