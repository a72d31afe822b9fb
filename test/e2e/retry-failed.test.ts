import { expect, it } from 'vitest';
import { plainAddresses, plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const running = useRunningStack(plainTenant(20));

it('a full plan takes the corrected list after mistyped addresses have failed, and a retry checks what was fixed', async () => {
  const { id: connectionId } = await running.connect();
  const { customer } = await running.muster.me();
  await running.operator.expect(200, 'PATCH', `/v1/customers/${customer?.id}`, { body: { mailboxSlots: 5 } });
  const slotsUsed = async () => (await running.muster.me()).slotsUsed;

  const mistyped = Array.from({ length: 5 }, (_, i) => ({
    address: `usr${i}@${tenant.domain}`,
    displayName: `User ${i}`,
    dailyLimit: 40 + i,
    reference: `crm-${i}`,
  }));
  const first = await running.muster.imports.start(connectionId, mistyped);
  const failed = await running.untilEnded(first.id, 30_000);
  expect(failed.counts).toMatchObject({ accepted: 5, failed: 5 });
  expect(await slotsUsed()).toBe(0);

  const corrected = plainAddresses(5).map((address) => ({ address }));
  const second = await running.muster.imports.start(connectionId, corrected);
  expect((await running.untilEnded(second.id, 30_000)).counts).toMatchObject({ accepted: 5, passed: 5 });
  expect(await slotsUsed()).toBe(5);
  const refusal = { status: 409, code: 'slot_limit_reached', problem: { needed: 5, free: 0 } };
  await expect(running.muster.imports.retryFailed(first.id)).rejects.toMatchObject(refusal);
  await expect(running.muster.imports.retryFailed(second.id)).rejects.toMatchObject({ code: 'nothing_to_retry' });

  await running.operator.expect(200, 'PATCH', `/v1/customers/${customer?.id}`, { body: { mailboxSlots: 10 } });
  await running.changeTenant((changed) => changed.mailboxes?.push(...mistyped.map(({ address }) => ({ address }))));
  const causes = ['mailbox_not_found'] as const;
  const third = await running.muster.imports.retryFailed(first.id, { causes });
  expect(third).toMatchObject({ retryOf: first.id, counts: { rows: 5 } });
  expect((await running.untilEnded(third.id, 30_000)).counts).toMatchObject({ accepted: 5, passed: 5 });
  expect(await slotsUsed()).toBe(10);
  const mailbox = await running.muster.mailboxes.get(connectionId, mistyped[2]?.address ?? '');
  expect(mailbox).toMatchObject({ ...mistyped[2], status: 'active', importId: third.id });
}, 90_000);
