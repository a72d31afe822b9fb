import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { expectExact } from '../support/expect-exact.ts';
import { csvOf, plainAddresses, plainTenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

/**
 * Mailboxes of each import. `npm run test:kill` makes it small. At full size it takes some minutes:
 * `KILL_MAILBOXES=5000 KILL_LIMIT=4000 KILL_WITHIN_SECONDS=400 KILL_SLOWER_MAX=2 npm run test:kill`.
 */
const MAILBOXES = Number(process.env.KILL_MAILBOXES ?? 300);
/** How many sub-requests the tenant allows in ten seconds. A mailbox needs four to seven. */
const LIMIT = Number(process.env.KILL_LIMIT ?? 1_200);
const WITHIN_MS = Number(process.env.KILL_WITHIN_SECONDS ?? 100) * 1000;
const KILL_EVERY_MS = 5_000;
const READY_POLL_MS = 250;
const PROCESSES = 3;
/**
 * The time with kills ÷ the time without, measured in the same run: 2 is what is promised. Only who asks for it measures,
 * on a machine that does nothing else.
 */
const SLOWER_MAX = Number(process.env.KILL_SLOWER_MAX ?? Number.POSITIVE_INFINITY);

const running = useRunningStack(
  plainTenant(2 * MAILBOXES, { throttle: { perAppPerTenantPer10s: LIMIT, retryAfterSeconds: 2 } }, 20),
  { processes: PROCESSES, deliverTwice: 10 },
);

/**
 * Kills one process after the other until it is stopped, never before the last one is back: one of three is dead, not
 * all of them. Resolves to how many it killed.
 */
function startKilling() {
  const stopping = new AbortController();
  const killing = (async () => {
    let kills = 0;
    for (;;) {
      await pause(KILL_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      const { all } = running.stack.functions;
      while (!stopping.signal.aborted && !all.every((process) => process.isReady())) await pause(READY_POLL_MS);
      if (stopping.signal.aborted) return kills;
      all[kills++ % PROCESSES]?.kill('SIGKILL');
    }
  })();
  return {
    stop() {
      stopping.abort();
      return killing;
    },
  };
}

/** Imports the next mailboxes, and expects that every one of them passes, is counted once and is left as it was. */
async function importMailboxes(connectionId: string, from: number): Promise<number> {
  const startedAt = Date.now();
  const addresses = plainAddresses(from + MAILBOXES).slice(from);
  const { id } = await running.startImport(connectionId, csvOf(addresses));
  const progress = await running.untilEnded(id, WITHIN_MS);
  const seconds = (Date.now() - startedAt) / 1000;
  await expectExact(running, progress, MAILBOXES);
  expect(progress.counts.passed).toBe(MAILBOXES);
  return seconds;
}

it(
  `counts ${MAILBOXES} mailboxes exactly while one of three processes is killed every five seconds, Microsoft throttles, and each tenth message arrives twice`,
  async () => {
    const { id: connectionId } = await running.connect();
    const undisturbed = await importMailboxes(connectionId, 0);
    const killer = startKilling();
    try {
      const disturbed = await importMailboxes(connectionId, MAILBOXES);
      const kills = await killer.stop();
      console.log(`${MAILBOXES} mailboxes in ${undisturbed} s, and in ${disturbed} s with ${kills} kills`);
      expect(kills).toBeGreaterThan(0);
      const calls = running.stack.simulator.world.requests.entries(undefined, Number.POSITIVE_INFINITY);
      expect(calls.some(({ status }) => status === 429)).toBe(true);
      expect(disturbed / undisturbed).toBeLessThanOrEqual(SLOWER_MAX);
    } finally {
      await killer.stop();
    }
  },
  2 * WITHIN_MS + 150_000,
);
