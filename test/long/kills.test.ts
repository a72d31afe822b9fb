import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { expectExact } from '../support/expect-exact.ts';
import { csvOf, plainAddresses, plainTenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

/** `KILL_MAILBOXES=5000 KILL_LIMIT=600 npm run test:kill` makes it larger. */
const MAILBOXES = Number(process.env.KILL_MAILBOXES ?? 400);
/** How many sub-requests the tenant allows in ten seconds. A mailbox needs four to seven. */
const LIMIT = Number(process.env.KILL_LIMIT ?? 1_200);
const WITHIN_MS = Number(process.env.KILL_WITHIN_SECONDS ?? 100) * 1000;
const KILL_EVERY_MS = 5_000;
const PROCESSES = 3;

const running = useRunningStack(
  plainTenant(MAILBOXES, { throttle: { perAppPerTenantPer10s: LIMIT, retryAfterSeconds: 2 } }, 20),
  { processes: PROCESSES, deliverTwice: 10 },
);

/** Kills one process after the other until it is stopped. Resolves to how many it killed. */
function startKilling() {
  const stopping = new AbortController();
  const killing = (async () => {
    let kills = 0;
    for (;;) {
      await pause(KILL_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return kills;
      running.stack.functions.all[kills++ % PROCESSES]?.kill('SIGKILL');
    }
  })();
  return {
    stop() {
      stopping.abort();
      return killing;
    },
  };
}

it(
  `counts ${MAILBOXES} mailboxes exactly while one of three processes is killed every five seconds, Microsoft throttles, and each tenth message arrives twice`,
  async () => {
    const { id: connectionId } = await running.connect();
    const killer = startKilling();
    try {
      const startedAt = Date.now();
      const { id } = await running.startImport(connectionId, csvOf(plainAddresses(MAILBOXES)));
      const progress = await running.untilEnded(id, WITHIN_MS);
      const kills = await killer.stop();
      console.log(`${MAILBOXES} mailboxes in ${((Date.now() - startedAt) / 1000).toFixed(1)} s, ${kills} kills`);
      await expectExact(running, progress, MAILBOXES);
      expect(progress.counts.passed).toBe(MAILBOXES);
      expect(kills).toBeGreaterThan(0);
      const calls = running.stack.simulator.world.requests.entries(undefined, Number.POSITIVE_INFINITY);
      expect(calls.some(({ status }) => status === 429)).toBe(true);
    } finally {
      await killer.stop();
    }
  },
  WITHIN_MS + 90_000,
);
