import { beforeEach, describe, expect, it } from 'vitest';
import { DomainError } from '../../../shared/kernel/errors.ts';
import { type DeliverDeps, deliverEvent, failDelivery } from '../../../shared/webhooks/deliver-event.ts';
import { createDeliveryGate } from '../../../shared/webhooks/delivery-gate.ts';
import type { DeliveryMessage } from '../../../shared/webhooks/event-queues.ts';
import { beginDelivery } from '../../../shared/webhooks/publish-event.ts';
import { createRetrySchedule } from '../../../shared/webhooks/retry-schedule.ts';
import { type SweepEventsDeps, sweepEvents } from '../../../shared/webhooks/sweep-events.ts';
import { updateWebhook } from '../../../shared/webhooks/update-webhook.ts';
import type { Webhook } from '../../../shared/webhooks/webhook.ts';
import { inMemoryDeliveries } from '../../fakes/in-memory-deliveries.ts';
import { inMemoryOutbox } from '../../fakes/in-memory-outbox.ts';
import { inMemorySigningSecrets } from '../../fakes/in-memory-signing-secrets.ts';
import { inMemoryWebhooks } from '../../fakes/in-memory-webhooks.ts';
import { simulatedReceiver } from '../../fakes/simulated-receiver.ts';
import { RECORDS_NOW } from '../../support/records.ts';

const DAY_MS = 86_400_000;
const STEPS_MS = [5_000, 60_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, DAY_MS];
const noLog = () => undefined;
const actor = { keyId: 'key_1', role: 'owner', customerId: 'cust_1' } as const;

interface Queued {
  message: DeliveryMessage;
  dueAt: number;
}

function createWorld() {
  let now = RECORDS_NOW.getTime();
  const queue: Queued[] = [];
  const told: Webhook[] = [];
  const receiver = simulatedReceiver();
  const deps = {
    webhooks: inMemoryWebhooks(),
    deliveries: inMemoryDeliveries(),
    outbox: inMemoryOutbox(),
    signingSecrets: inMemorySigningSecrets(),
    webhookSender: receiver,
    sendEmail: async () => ({ result: 'succeeded' }),
    eventQueues: {
      sendPublish: async () => undefined,
      sendDelivery: async (message: DeliveryMessage, delayMs = 0) => void queue.push({ message, dueAt: now + delayMs }),
    },
    retrySchedule: createRetrySchedule(STEPS_MS, () => 0.5),
    deliveryGate: createDeliveryGate(4),
    webhookDisabledAfterMs: 5 * DAY_MS,
    webhookDisabled: async (webhook: Webhook) => void told.push(webhook),
    clock: { now: () => new Date(now) },
  } satisfies DeliverDeps & SweepEventsDeps;
  return {
    deps,
    queue,
    told,
    receiver,
    now: () => now,
    pass(ms: number) {
      now += ms;
    },
    /** Handles messages when they are due until none is left, or until this instant. */
    async drain(until = Number.POSITIVE_INFINITY) {
      for (;;) {
        queue.sort((a, b) => a.dueAt - b.dueAt);
        const [next] = queue;
        if (!next || next.dueAt > until) return;
        queue.shift();
        now = Math.max(now, next.dueAt);
        await deliverEvent(deps, next.message, noLog);
      }
    },
    async subscribe(): Promise<Webhook> {
      const { version } = await deps.signingSecrets.create({ id: 'hook_1', customerId: 'cust_1' });
      const webhook: Webhook = {
        id: 'hook_1',
        customerId: 'cust_1',
        url: 'https://hooks.test/',
        events: ['import.completed'],
        status: 'enabled',
        secretVersion: version,
        createdAt: RECORDS_NOW,
      };
      await deps.webhooks.insert(webhook, 9);
      return webhook;
    },
    begin: (id = 'evt_1') =>
      beginDelivery(deps, 'hook_1', {
        id,
        customerId: 'cust_1',
        type: 'import.completed',
        happenedAt: RECORDS_NOW,
        data: {},
      }),
    webhook: async () => (await deps.webhooks.get('cust_1', 'hook_1'))?.value,
    delivery: async (id = 'evt_1') =>
      (await deps.deliveries.get({ customerId: 'cust_1', webhookId: 'hook_1', id }))?.value,
  };
}

let world: ReturnType<typeof createWorld>;
beforeEach(async () => {
  world = createWorld();
  await world.subscribe();
});

describe('a delivery', () => {
  it('succeeds at the first 2xx, and leaves neither a message nor a pointer', async () => {
    await world.begin();
    await world.drain();
    expect(await world.delivery()).toMatchObject({ status: 'succeeded', attemptCount: 1 });
    expect(world.receiver.received).toMatchObject([{ id: 'evt_1', url: 'https://hooks.test/' }]);
    expect(world.deps.deliveries.pointers()).toEqual([]);
    expect(world.queue).toEqual([]);
  });

  it('is tried over a day with the same ID and body, and then fails', async () => {
    world.receiver.answer = { result: 'refused', httpStatus: 500 };
    await world.begin();
    await world.drain();
    const delivery = await world.delivery();
    expect(delivery).toMatchObject({ status: 'failed', attemptCount: 9 });
    expect(delivery).not.toHaveProperty('nextAttemptAt');
    const seconds = world.receiver.received.map(({ sentAt }) =>
      Math.round((sentAt.getTime() - RECORDS_NOW.getTime()) / 1000),
    );
    // A second more for each message, so that it does not arrive before its time.
    expect(seconds).toEqual([0, 6, 62, 303, 1804, 7205, 18006, 36007, 86408]);
    expect(new Set(world.receiver.received.map(({ id, body }) => `${id} ${body}`)).size).toBe(1);
    expect(world.deps.deliveries.pointers()).toEqual([]);
  });

  it('waits as long as the receiver asks, but never longer than the longest wait', async () => {
    world.receiver.answer = { result: 'refused', httpStatus: 429, retryAfterSeconds: 600 };
    await world.begin();
    await world.drain(world.now());
    expect((await world.delivery())?.nextAttemptAt?.getTime()).toBe(world.now() + 600_000);
    const schedule = createRetrySchedule(STEPS_MS, () => 0.5);
    expect(schedule.delayMs(1, 10 * 86_400)).toBe(DAY_MS - 36_000_000);
  });

  it('is sent once when its message arrives twice, also at the same time', async () => {
    await world.begin();
    const message = world.queue[0]?.message as DeliveryMessage;
    await Promise.all([1, 2, 3].map(() => deliverEvent(world.deps, message, noLog)));
    await deliverEvent(world.deps, message, noLog);
    expect(world.receiver.received).toHaveLength(1);
  });

  it('counts an attempt whose process has died, and is sent again by the sweep', async () => {
    await world.begin();
    const message = world.queue.shift()?.message as DeliveryMessage;
    world.receiver.answer = () => new Promise<never>(() => undefined);
    void deliverEvent(world.deps, message, noLog);
    await expect.poll(async () => (await world.delivery())?.attemptCount).toBe(1);
    world.receiver.answer = { result: 'succeeded', httpStatus: 200 };
    expect(await sweepEvents(world.deps)).toEqual({ unpublished: 0, overdue: 0 });
    world.pass(3 * 60_000);
    expect(await sweepEvents(world.deps)).toEqual({ unpublished: 0, overdue: 1 });
    await world.drain();
    const delivery = await world.delivery();
    expect(delivery).toMatchObject({ status: 'succeeded', attemptCount: 2 });
    expect(delivery?.attempts.map(({ result }) => result)).toEqual(['interrupted', 'succeeded']);
    expect(world.deps.deliveries.pointers()).toEqual([]);
  });

  it('is found by the sweep when its message is lost, and gets one message in ten minutes', async () => {
    await world.begin();
    world.queue.length = 0;
    world.pass(3 * 60_000);
    for (let i = 0; i < 5; i++) {
      await sweepEvents(world.deps);
      world.pass(60_000);
    }
    expect(world.queue).toHaveLength(1);
    await world.drain();
    expect(await world.delivery()).toMatchObject({ status: 'succeeded' });
  });

  it('is begun once, however often its event is published', async () => {
    await world.begin();
    await world.drain();
    await world.begin();
    await world.drain();
    expect(world.receiver.received).toHaveLength(1);
    expect(await world.delivery()).toMatchObject({ status: 'succeeded', attemptCount: 1 });
    world.pass(3 * 60_000);
    await sweepEvents(world.deps);
    expect(world.deps.deliveries.pointers()).toEqual([]);
  });

  it('is dropped when its webhook is gone', async () => {
    await world.begin();
    await world.deps.webhooks.remove('cust_1', 'hook_1');
    await world.drain();
    expect(await world.delivery()).toBeUndefined();
    expect(world.deps.deliveries.pointers()).toEqual([]);
    expect(world.receiver.received).toEqual([]);
  });

  it('stays pending while our vault is unavailable, and no attempt counts', async () => {
    await world.begin();
    const { get } = world.deps.signingSecrets;
    world.deps.signingSecrets.get = async () => {
      throw new DomainError('vault_unavailable', 'Unavailable.');
    };
    const message = world.queue[0]?.message as DeliveryMessage;
    await expect(deliverEvent(world.deps, message, noLog)).rejects.toMatchObject({ code: 'vault_unavailable' });
    world.deps.signingSecrets.get = get;
    await world.drain();
    expect(await world.delivery()).toMatchObject({ status: 'succeeded', attemptCount: 1 });
  });

  it('ends as failed when its secret is gone, or when each message meets a defect', async () => {
    await world.begin('evt_1');
    await world.begin('evt_2');
    await failDelivery(world.deps, { v: 1, customerId: 'cust_1', webhookId: 'hook_1', deliveryId: 'evt_2' });
    expect(await world.delivery('evt_2')).toMatchObject({ status: 'failed' });
    await world.deps.signingSecrets.remove('hook_1', (await world.webhook())?.secretVersion ?? '');
    await world.drain();
    expect(await world.delivery('evt_1')).toMatchObject({ status: 'failed', attempts: expect.any(Array) });
    expect((await world.delivery('evt_1'))?.attempts.at(-1)).toMatchObject({ result: 'noSecret' });
    expect(world.receiver.received).toEqual([]);
    expect(world.deps.deliveries.pointers()).toEqual([]);
  });

  it('is signed with the secret from before a rotation until the overlap is over', async () => {
    const { version } = await world.deps.signingSecrets.create({ id: 'hook_1', customerId: 'cust_1' });
    const webhook = (await world.webhook()) as Webhook;
    const { tag = '' } = (await world.deps.webhooks.get('cust_1', 'hook_1')) ?? {};
    const previousSecrets = [{ version: webhook.secretVersion, endsAt: new Date(world.now() + 60_000) }];
    await world.deps.webhooks.update({ ...webhook, secretVersion: version, previousSecrets }, tag);
    await world.begin('evt_1');
    await world.drain();
    world.pass(60_000);
    await world.begin('evt_2');
    await world.drain();
    expect(world.receiver.received.map(({ secrets }) => secrets.length)).toEqual([2, 1]);
  });
});

describe('a webhook', () => {
  it('is disabled by 410 immediately, and its people are told once', async () => {
    world.receiver.answer = { result: 'refused', httpStatus: 410 };
    await world.begin('evt_1');
    await world.begin('evt_2');
    await world.drain();
    expect(await world.webhook()).toMatchObject({ status: 'disabled', disabledReason: 'gone' });
    expect(world.told).toHaveLength(1);
    expect(world.receiver.received).toHaveLength(1);
    expect(await world.delivery('evt_1')).toMatchObject({ status: 'failed', attemptCount: 1 });
    expect(await world.delivery('evt_2')).toMatchObject({ status: 'failed', attemptCount: 0 });
    expect(world.deps.deliveries.pointers()).toEqual([]);
  });

  it('is disabled when deliveries have failed for five days, not before', async () => {
    world.receiver.answer = { result: 'timedOut' };
    for (let day = 0; day < 4; day++) {
      await world.begin(`evt_${day}`);
      await world.drain();
      expect(await world.webhook(), `day ${day}`).toMatchObject({ status: 'enabled', failingSince: RECORDS_NOW });
      expect(world.told).toEqual([]);
    }
    await world.begin('evt_4');
    await world.drain();
    expect(await world.webhook()).toMatchObject({ status: 'disabled', disabledReason: 'failing' });
    expect(world.told).toHaveLength(1);
  });

  it('is not disabled by one failure after a quiet week', async () => {
    world.receiver.answer = { result: 'refused', httpStatus: 500 };
    await world.begin('evt_1');
    await world.drain(world.now());
    world.receiver.answer = { result: 'succeeded', httpStatus: 200 };
    await world.drain();
    expect(await world.webhook()).not.toHaveProperty('failingSince');
    world.pass(7 * DAY_MS);
    world.receiver.answer = { result: 'refused', httpStatus: 500 };
    await world.begin('evt_2');
    await world.drain();
    expect(await world.webhook()).toMatchObject({ status: 'enabled' });
  });

  it('begins without failures when it is enabled again', async () => {
    world.receiver.answer = { result: 'refused', httpStatus: 410 };
    await world.begin('evt_1');
    await world.drain();
    await updateWebhook(world.deps, actor, 'hook_1', { enabled: true }, () => undefined);
    const webhook = await world.webhook();
    expect(webhook).toMatchObject({ status: 'enabled' });
    for (const field of ['failingSince', 'disabledAt', 'disabledReason']) expect(webhook).not.toHaveProperty(field);
  });

  it('that never answers occupies four workers of a process at most', async () => {
    const release: (() => void)[] = [];
    world.receiver.answer = () =>
      new Promise((resolve) => release.push(() => resolve({ result: 'succeeded', httpStatus: 200 })));
    for (let i = 0; i < 10; i++) await world.begin(`evt_${i}`);
    const running = world.queue.splice(0).map(({ message }) => deliverEvent(world.deps, message, noLog));
    await expect.poll(() => release.length).toBe(4);
    await expect.poll(() => world.queue.length).toBe(6);
    for (const answer of release) answer();
    await Promise.all(running);
    world.receiver.answer = { result: 'succeeded', httpStatus: 200 };
    await world.drain();
    const deliveries = world.deps.deliveries.everything();
    expect(deliveries.map(({ status }) => status)).toEqual(Array(10).fill('succeeded'));
  });
});
