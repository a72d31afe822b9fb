import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { expectExact } from '../support/expect-exact.ts';
import { csvOf, plainAddresses, plainTenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const MAILBOXES = 2_000;
const running = useRunningStack(plainTenant(MAILBOXES, {}, 20));

it('counts 2,000 mailboxes exactly although the functions process is killed three times', async () => {
  const { id: connectionId } = await running.connect();
  const { id } = await running.startImport(connectionId, csvOf(plainAddresses(MAILBOXES)));
  const killAt = [5, 30, 60];
  const percents: number[] = [];
  const killed: number[] = [];
  const ended = running.untilEnded(id, 150_000, ({ percent }) => {
    percents.push(percent);
    if (killAt[0] !== undefined && percent >= killAt[0]) {
      killAt.shift();
      killed.push(running.stack.functions.pid());
      running.stack.functions.kill('SIGKILL');
    }
  });
  const progress = await ended;
  expect(new Set(killed).size).toBe(3);
  expect(percents).toEqual([...percents].sort((a, b) => a - b));
  // Leftovers of a killed check may still be cleaned up.
  await pause(1_000);
  await expectExact(running, progress, MAILBOXES);
  expect(progress.counts.passed).toBe(MAILBOXES);
}, 200_000);
