import { expect, it } from 'vitest';
import { expectExact } from '../support/expect-exact.ts';
import { csvOf, plainAddresses, plainTenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const MAILBOXES = 400;
const running = useRunningStack(plainTenant(MAILBOXES), { deliverTwice: true });

it('gives the same result when the host delivers every queue message twice', async () => {
  const { id: connectionId } = await running.connect();
  const { id } = await running.startImport(connectionId, csvOf(plainAddresses(MAILBOXES)));
  const progress = await running.untilEnded(id, 90_000);
  await expectExact(running, progress, MAILBOXES);
  expect(progress.counts.passed).toBe(MAILBOXES);
}, 120_000);
