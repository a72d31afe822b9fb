import { readFileSync } from 'node:fs';
import { InvocationContext } from '@azure/functions';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { deletionMessage } from '../../../../functions/queues/delete-connection.ts';
import { directoryMessage } from '../../../../shared/directory/messages.ts';
import { createConsumer } from '../../../../shared/edge/background/consumer.ts';
import { checkMessage, importMessage } from '../../../../shared/imports/messages.ts';
import { queues } from '../../../../shared/kernel/storage-names.ts';
import { deliveryMessage, publishMessage } from '../../../../shared/webhooks/event-queues.ts';

/** What a worker of today reads. A queue that is missing here is a queue whose messages nobody keeps readable. */
const schemas: Record<string, z.ZodType<Record<string, unknown>>> = {
  'plan-import': importMessage,
  'dispatch-checks': importMessage,
  'check-mailbox': checkMessage,
  'delete-connection': deletionMessage,
  'publish-events': publishMessage,
  'deliver-event': deliveryMessage,
  'read-directory': directoryMessage,
};

/** Messages as workers have written them. Never change one: add those of a new version. */
const written: Record<string, Record<string, unknown>[]> = JSON.parse(
  readFileSync('test/fixtures/messages.json', 'utf8'),
);

function worker(message: z.ZodType<Record<string, unknown>>) {
  const handled: unknown[] = [];
  const sentAgain: [Record<string, unknown>, number][] = [];
  const consume = createConsumer({
    message,
    handle: async (one) => void handled.push(one),
    sendAgain: async (one, delayMs) => void sentAgain.push([one, delayMs]),
    retryDelayMs: 1,
  });
  const context = new InvocationContext({ functionName: 'q', invocationId: 'i', logHandler: () => undefined });
  return { handled, sentAgain, receive: (entry: unknown) => consume(entry, context) };
}

it('every queue has a schema and recorded messages', () => {
  expect(Object.keys(schemas).sort()).toEqual(Object.values(queues).sort());
  expect(Object.keys(written).sort()).toEqual(Object.values(queues).sort());
});

describe.each(Object.entries(schemas))('%s', (queue, schema) => {
  const messages = written[queue] ?? [];

  it('a newer worker handles every message that older ones have written', async () => {
    const { handled, sentAgain, receive } = worker(schema);
    for (const message of messages) await receive(message);
    expect([handled.length, sentAgain]).toEqual([messages.length, []]);
  });

  it('an older worker handles a message of its version with fields that it does not know', async () => {
    const { handled, receive } = worker(schema);
    for (const message of messages) await receive({ ...message, aNewField: { a: 1 } });
    expect(handled).toHaveLength(messages.length);
  });

  it('an older worker leaves a message of a newer version to newer workers, unchanged and as often as it takes', async () => {
    const [message] = messages;
    const newer = { ...message, v: 99, renamed: [1] };
    const older = worker(schema);
    await older.receive(newer);
    for (let i = 0; i < 3; i++) await older.receive(older.sentAgain.at(-1)?.[0]);
    expect(older.handled).toEqual([]);
    expect(older.sentAgain).toHaveLength(4);
    for (const [sent, delayMs] of older.sentAgain) {
      expect(sent).toEqual({ ...newer, unknownSince: older.sentAgain[0]?.[0].unknownSince });
      expect(delayMs).toBe(30_000);
    }
    // The newer worker reads it as if it had come to it directly.
    const [again] = older.sentAgain.at(-1) ?? [];
    const upgraded = worker(schema);
    await upgraded.receive({ ...again, v: message?.v ?? 1 });
    expect(upgraded.handled).toEqual([expect.not.objectContaining({ unknownSince: expect.anything() })]);
  });
});

describe('a message that no worker knows', () => {
  const newer = { v: 2, customerId: 'cust_1', importId: 'imp_1' };

  it('fails after a day, so that it is poisoned and operators see it', async () => {
    const { sentAgain, receive } = worker(importMessage);
    const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
    await receive({ ...newer, unknownSince: ago(23) });
    await expect(receive({ ...newer, unknownSince: ago(25) })).rejects.toThrow('unknown shape');
    expect(sentAgain).toHaveLength(1);
  });

  it.each([
    ['no version', { customerId: 'cust_1', importId: 'imp_1' }],
    ['a version that is no number', { ...newer, v: 'two' }],
    ['a known version and another fault', { ...newer, v: 1, importId: 5 }],
    ['an age that is none', { ...newer, unknownSince: 'yesterday' }],
    ['no object', 'text'],
  ])('fails immediately with %s', async (_, entry) => {
    const { sentAgain, receive } = worker(importMessage);
    await expect(receive(entry)).rejects.toThrow('unknown shape');
    expect(sentAgain).toEqual([]);
  });

  it('stays on its queue if it cannot be sent again', async () => {
    const consume = createConsumer({
      message: importMessage,
      handle: async () => undefined,
      sendAgain: async () => {
        throw new Error('storage is unavailable');
      },
      retryDelayMs: 1,
    });
    const context = new InvocationContext({ functionName: 'q', invocationId: 'i', logHandler: () => undefined });
    await expect(consume(newer, context)).rejects.toThrow('storage is unavailable');
  });
});
