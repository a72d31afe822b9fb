import { InvocationContext } from '@azure/functions';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Consumer, createConsumer } from '../../../../shared/edge/background/consumer.ts';
import { createTimer } from '../../../../shared/edge/background/timer.ts';
import { DomainError } from '../../../../shared/kernel/errors.ts';
import { inMemoryHeartbeats } from '../../../fakes/in-memory-heartbeats.ts';

const message = z.strictObject({ v: z.literal(1), line: z.int() });

function createContext(triggerMetadata: Record<string, unknown> = {}) {
  const lines: string[] = [];
  const logHandler = (_: string, ...texts: unknown[]) => void lines.push(texts.map(String).join(' '));
  const init = { functionName: 'q', invocationId: 'i', logHandler };
  return { context: Object.assign(new InvocationContext(init), { triggerMetadata }), lines };
}

type Message = z.infer<typeof message>;

/** A consumer that records what it sends again. */
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
  it('passes the message and its delivery count to the handler, and resolves to nothing', async () => {
    const seen: unknown[] = [];
    const { consume } = consumerOf(async (...call) => void seen.push(call));
    const { context } = createContext({ dequeueCount: 3 });
    expect(await consume({ v: 1, line: 2 }, context)).toBeUndefined();
    expect(seen).toMatchObject([[{ v: 1, line: 2 }, { dequeueCount: 3 }]]);
  });

  it('rejects a message of unknown shape, and logs nothing of it', async () => {
    const { consume } = consumerOf(async () => undefined);
    const { context, lines } = createContext();
    await expect(consume({ v: 1, line: 'confidential' }, context)).rejects.toThrow('unknown shape');
    expect(lines.join()).not.toContain('confidential');
  });

  it('sends nothing after a transient failure if the work is found in another way', async () => {
    const { consume, sentAgain } = consumerOf(throwing(transient()), { afterFailure: () => undefined });
    expect(await consume({ v: 1, line: 2 }, createContext().context)).toBeUndefined();
    expect(sentAgain).toEqual([]);
  });

  it.each([
    ['after the time in the error', transient(7), 7_000],
    ['after the default delay if the error has no time', transient(), 15_000],
  ])('sends a message again after a transient failure, %s', async (_, error, delayMs) => {
    const { consume, sentAgain } = consumerOf(throwing(error), { afterFailure: (sent) => ({ ...sent, line: 99 }) });
    expect(await consume({ v: 1, line: 1 }, createContext().context)).toBeUndefined();
    expect(sentAgain).toEqual([[{ v: 1, line: 99 }, delayMs]]);
  });

  it('leaves a message to the sweep, and logs that, if it cannot be sent again', async () => {
    const { consume } = consumerOf(throwing(transient()), { sendAgain: throwing(transient()) });
    const { context, lines } = createContext();
    expect(await consume({ v: 1, line: 1 }, context)).toBeUndefined();
    expect(lines.join()).toContain('message_left_to_the_sweep');
  });

  // The worker rethrows only an Error. Anything else would count as success, and the message would be lost.
  it.each([refusal, new TypeError('defect'), 'a string'])(
    'rejects with an Error for any other failure: %s',
    async (error) => {
      const { consume, sentAgain } = consumerOf(throwing(error));
      await expect(consume({ v: 1, line: 1 }, createContext().context)).rejects.toBeInstanceOf(Error);
      expect(sentAgain).toEqual([]);
    },
  );
});

describe('a timer', () => {
  const at = new Date('2026-06-01T00:00:00Z');
  const tick = {
    isPastDue: false,
    schedule: { adjustForDST: true },
    scheduleStatus: { last: '', next: '', lastUpdated: '' },
  };

  it('records a heartbeat only if it succeeds', async () => {
    const deps = { clock: { now: () => at }, heartbeats: inMemoryHeartbeats() };
    const failing = async () => {
      throw new Error('no');
    };
    await expect(createTimer(deps, { name: 't', handle: failing })(tick, createContext().context)).rejects.toThrow(
      'no',
    );
    expect(await deps.heartbeats.list()).toEqual([]);
    await createTimer(deps, { name: 't', handle: async () => undefined })(tick, createContext().context);
    expect(await deps.heartbeats.list()).toEqual([{ timer: 't', ranAt: at }]);
  });

  it('records when the host lets it run next', async () => {
    const deps = { clock: { now: () => at }, heartbeats: inMemoryHeartbeats() };
    const scheduled = { ...tick, scheduleStatus: { ...tick.scheduleStatus, next: '2026-06-01T00:05:00+00:00' } };
    await createTimer(deps, { name: 't', handle: async () => undefined })(scheduled, createContext().context);
    expect(await deps.heartbeats.list()).toEqual([{ timer: 't', ranAt: at, dueAt: new Date('2026-06-01T00:05:00Z') }]);
  });
});
