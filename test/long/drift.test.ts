import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { csvOf, plainAddresses, plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';
import { useReceiver } from '../support/webhook-receiver.ts';

/**
 * Mailboxes that are imported; each twentieth breaks. At full size, with the leases and time-outs of a deployment, and with
 * a process killed every five seconds, it takes some minutes:
 * `DRIFT_MAILBOXES=600 DRIFT_WEEK=PT90S DRIFT_DEPLOYED=1 DRIFT_KILLS=1 npx vitest run --config vitest.long.config.ts test/long/drift.test.ts`.
 */
const MAILBOXES = Number(process.env.DRIFT_MAILBOXES ?? 40);
/** What stands for a week, and for a day. */
const WEEK = process.env.DRIFT_WEEK ?? 'PT10S';
const DAY = process.env.DRIFT_DAY ?? 'PT5S';
const KILL_EVERY_MS = 5_000;
const READY_POLL_MS = 250;
const PROCESSES = 3;
/** How long anything may take. It only ends a test that would fail. */
const WITHIN_MS = Number(process.env.DRIFT_WITHIN_SECONDS ?? 120) * 1000;

const deployed = {
  SWEEP_SCHEDULE: '0 * * * * *',
  PLAN_OVERDUE_AFTER: 'PT90S',
  DISPATCH_LEASE: 'PT10S',
  STORAGE_RETRY_AFTER: 'PT5S',
  CHECK_RETRY_BASE: 'PT1S',
  CHECK_TIMEOUT: 'PT30S',
};

const at = (name: string) => `${name}@${tenant.domain}`;
const broken = Array.from({ length: Math.ceil(MAILBOXES / 20) }, (_, i) => at(`drifting${i + 1}`)).sort();

const receiver = useReceiver();
const running = useRunningStack(plainTenant(MAILBOXES, { mailboxes: broken.map((address) => ({ address })) }), {
  processes: PROCESSES,
  settings: {
    ...(process.env.DRIFT_DEPLOYED && deployed),
    REVERIFY_AFTER: WEEK,
    REVERIFY_FAILED_AFTER: DAY,
    RETENTION_SCHEDULE: '*/2 * * * * *',
    WEBHOOKS_TO_LOCAL: 'true',
  },
});

/** Events that were received before something changed. */
const before = new Set<string>();

/** The mailboxes of all events of this type, without those of `before`. An event that is delivered twice is the same event. */
function told(type: string): string[] {
  const events = new Map(receiver.received.map(({ event }) => [event.id, event]));
  return [...events.values()]
    .filter((event) => !before.has(event.id))
    .filter((event) => event.type === type)
    .flatMap(({ data }) => (data as { mailboxes: { address: string }[] }).mailboxes)
    .map(({ address }) => address)
    .sort();
}

async function untilTold(type: string, addresses: readonly string[]): Promise<number> {
  const startedAt = Date.now();
  await expect.poll(() => told(type), { timeout: WITHIN_MS, interval: 250 }).toEqual(addresses);
  return (Date.now() - startedAt) / 1000;
}

/** Kills one process after the other, as `kills.test.ts` does. Resolves to how many it killed. */
function startKilling() {
  const stopping = new AbortController();
  const killing = (async () => {
    let kills = 0;
    while (process.env.DRIFT_KILLS) {
      await pause(KILL_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      const { all } = running.stack.functions;
      while (!stopping.signal.aborted && !all.every((one) => one.isReady())) await pause(READY_POLL_MS);
      if (stopping.signal.aborted) break;
      all[kills++ % PROCESSES]?.kill('SIGKILL');
    }
    return kills;
  })();
  return {
    stop() {
      stopping.abort();
      return killing;
    },
  };
}

const setFault = (fault: 'readWriteDenied' | undefined) =>
  running.changeTenant((changed) => {
    for (const mailbox of changed.mailboxes ?? []) {
      if (!('address' in mailbox) || !broken.includes(mailbox.address)) continue;
      if (fault) Object.assign(mailbox, { fault });
      else Reflect.deleteProperty(mailbox, 'fault');
    }
  });

it(
  'a mailbox that stops working is found and told once, and again once it is fixed',
  async () => {
    const webhook = await running.muster.webhooks.create({
      url: receiver.url,
      events: ['mailbox.activated', 'mailbox.failed'],
    });
    receiver.secret = webhook.secret;
    const connection = await running.connect();
    const all = [...plainAddresses(MAILBOXES), ...broken].sort();
    const { id } = await running.startImport(connection.id, csvOf(all));
    await running.untilEnded(id, WITHIN_MS);
    await untilTold('mailbox.activated', all);
    for (const { event } of receiver.received) before.add(event.id);
    const killer = startKilling();
    try {
      await setFault('readWriteDenied');
      const foundSeconds = await untilTold('mailbox.failed', broken);
      expect(told('mailbox.activated')).toEqual([]);
      await setFault(undefined);
      const fixedSeconds = await untilTold('mailbox.activated', broken);
      expect(told('mailbox.failed')).toEqual(broken);
      const kills = await killer.stop();
      console.log(
        `${broken.length} of ${all.length} mailboxes: found in ${foundSeconds} s, fixed in ${fixedSeconds} s, ${kills} kills`,
      );
    } finally {
      await killer.stop();
    }
    const mailboxes = await Array.fromAsync(running.muster.mailboxes.list(connection.id));
    expect(mailboxes.map(({ address, status }) => `${address} ${status}`).sort()).toEqual(
      all.map((address) => `${address} active`),
    );
  },
  5 * WITHIN_MS,
);
