import { beforeEach, describe, expect, it } from 'vitest';
import { explainOverdue, plannedCheckOf } from '../../../../shared/imports/reverifying/explain-overdue.ts';
import type { Mailbox } from '../../../../shared/mailboxes/mailbox.ts';
import { inMemoryImports } from '../../../fakes/in-memory-imports.ts';
import { inMemorySlots } from '../../../fakes/in-memory-slots.ts';
import { aConnection, aMailbox, RECORDS_NOW } from '../../../support/records.ts';

const DAY_MS = 86_400_000;
const reverifyTimes = { reverifyAfterMs: 7 * DAY_MS, reverifyFailedAfterMs: DAY_MS };
const daysAgo = (days: number) => new Date(RECORDS_NOW.getTime() - days * DAY_MS);
let deps: ReturnType<typeof createDeps>;

function createDeps() {
  return {
    imports: inMemoryImports(),
    slots: inMemorySlots(),
    reverifyTimes,
    clock: { now: () => RECORDS_NOW },
  };
}

beforeEach(async () => {
  deps = createDeps();
  await deps.slots.open('cust_1', 2);
  await deps.slots.claim('cust_1', 'imp_0', 1);
});

const failed = (days: number, change: Partial<Mailbox> = {}) =>
  aMailbox({ status: 'failed', lastCheck: { checkedAt: daysAgo(days), verdict: 'failed' }, ...change });
const active = (days: number) =>
  aMailbox({ status: 'active', slotClaimedBy: 'imp_0', lastCheck: { checkedAt: daysAgo(days), verdict: 'passed' } });
const explain = async (mailbox: Mailbox, connection = aConnection()) =>
  (await explainOverdue(deps, connection, [mailbox])).get(mailbox.address);
const openImport = (importId: string) =>
  deps.imports.openPointer({ importId, customerId: 'cust_1', connectionId: 'conn_1', openedAt: RECORDS_NOW });

describe('a mailbox that is due to be checked again and is not', () => {
  it('says that it needs a slot, and what to do, if none is free', async () => {
    expect(await explain(failed(1))).toBeUndefined();
    await deps.slots.claim('cust_1', 'imp_1', 1);
    const wait = await explain(failed(1));
    expect(wait).toMatchObject({ reason: 'slot_needed', message: expect.stringContaining('ask for more slots') });
    expect(await explain(failed(0))).toBeUndefined();
    expect(await explain(active(9))).toBeUndefined();
  });

  it('says so as well if it has waited for a day although some are free', async () => {
    expect(await explain(failed(3))).toMatchObject({
      reason: 'slot_needed',
      message: expect.stringContaining('take turns'),
    });
  });

  it('says after a day that imports go first', async () => {
    await openImport('imp_9');
    expect(await explain(active(9))).toMatchObject({ reason: 'imports_first' });
    expect(await explain(active(5))).toBeUndefined();
  });

  it('is not kept by actions, which include the re-verification itself', async () => {
    await openImport('act_9');
    expect(await explain(active(9))).toBeUndefined();
  });

  it('says nothing if it is paused or being checked, or if the connection is not ready', async () => {
    await deps.slots.claim('cust_1', 'imp_1', 1);
    expect(await explain(failed(1, { openRow: 'act_1:2' }))).toBeUndefined();
    expect(await explain(failed(1, { removedBy: 'act_1' }))).toBeUndefined();
    expect(await explain(failed(1), aConnection({ status: 'failing' }))).toBeUndefined();
  });
});

it('tells when a mailbox is checked again, unless nobody checks it', () => {
  const planned = (mailbox: Mailbox, connection = aConnection()) => plannedCheckOf(connection, mailbox, reverifyTimes);
  expect(planned(active(0))?.getTime()).toBeGreaterThan(RECORDS_NOW.getTime() + DAY_MS);
  expect(planned(aMailbox({ status: 'disconnected' }))).toBeUndefined();
  expect(planned(active(0), aConnection({ status: 'failing' }))).toBeUndefined();
});
