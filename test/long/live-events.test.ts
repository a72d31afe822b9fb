import { EventSource } from 'eventsource';
import { expect, it } from 'vitest';
import type { Import, Row } from '../../clients/typescript/src/index.ts';
import { expectExact } from '../support/expect-exact.ts';
import { csvOf, plainAddresses, plainTenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

/** `WATCH_MAILBOXES=20000 npm run test:long -- live-events` watches more. */
const MAILBOXES = Number(process.env.WATCH_MAILBOXES ?? 5_000);
/** About a minute on an idle machine. */
const WITHIN_MS = 1_200_000;
const KILL_AT_PERCENT = [30, 65];

const running = useRunningStack(plainTenant(MAILBOXES));

it(
  `an EventSource watches ${MAILBOXES} mailboxes to the end while the functions process is killed twice: every percent once, every mailbox once, done once`,
  async () => {
    const { id: connectionId } = await running.connect();
    const startedAt = Date.now();
    const { id } = await running.startImport(connectionId, csvOf(plainAddresses(MAILBOXES)));
    let connects = 0;
    const source = new EventSource(`${running.stack.local().apiUrl}/v1/imports/${id}/events`, {
      fetch: (input, init) => {
        connects++;
        return fetch(input, { ...init, headers: { ...init?.headers, Authorization: `Bearer ${running.ownerKey}` } });
      },
    });
    const seen = {
      progress: [] as Import[],
      mailboxes: [] as Pick<Row, 'line' | 'address' | 'state'>[],
      done: [] as Import[],
    };
    const kills = [...KILL_AT_PERCENT];
    const ended = Promise.withResolvers<void>();
    source.addEventListener('progress', ({ data }) => {
      const progress: Import = JSON.parse(data);
      seen.progress.push(progress);
      if (progress.percent < (kills[0] ?? Number.POSITIVE_INFINITY)) return;
      kills.shift();
      running.stack.functions.kill('SIGKILL');
    });
    source.addEventListener('mailbox', ({ data }) => void seen.mailboxes.push(...JSON.parse(data).mailboxes));
    source.addEventListener('done', ({ data }) => {
      seen.done.push(JSON.parse(data));
      ended.resolve();
    });
    source.addEventListener('error', ({ code }) => {
      if (source.readyState === source.CLOSED) ended.reject(new Error(`the EventSource gave up after a ${code}`));
    });
    const tooLate = setTimeout(() => {
      const last = JSON.stringify(seen.progress.at(-1));
      ended.reject(new Error(`not done within ${WITHIN_MS} ms, after ${connects} connections: ${last}`));
    }, WITHIN_MS);
    await ended.promise;
    clearTimeout(tooLate);

    // The client comes back once more, and learns that there is nothing left.
    await expect.poll(() => source.readyState, { timeout: 15_000 }).toBe(source.CLOSED);
    expect(kills).toEqual([]);
    expect(connects).toBeGreaterThanOrEqual(4);
    expect(seen.done).toHaveLength(1);
    expect(seen.mailboxes).toHaveLength(MAILBOXES);
    expect(new Set(seen.mailboxes.map(({ line }) => line)).size).toBe(MAILBOXES);
    expect(seen.mailboxes.filter(({ state }) => state !== 'passed')).toEqual([]);
    const checked = seen.progress.filter(({ startedAt, status }) => startedAt !== null && status !== 'planning');
    const percents = checked.map(({ percent }) => percent);
    expect(percents).toEqual([...new Set(percents)].toSorted((a, b) => a - b));
    expect(new Set(percents.map(Math.floor))).toEqual(new Set(Array.from({ length: 101 }, (_, i) => i)));
    expect(checked.some(({ secondsLeft }) => secondsLeft !== null && secondsLeft > 0)).toBe(true);
    expect(seen.progress.at(-1)).toEqual(seen.done[0]);
    const progress = await running.progressOf(id);
    expect(seen.done[0]).toEqual(progress);
    await expectExact(running, progress, MAILBOXES);
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    console.log(`${seconds} s, ${seen.progress.length} progress events, ${connects} connections`);
  },
  WITHIN_MS + 120_000,
);
