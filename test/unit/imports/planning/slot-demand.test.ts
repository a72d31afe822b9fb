import { expect, it } from 'vitest';
import { createExistingMailboxes } from '../../../../shared/imports/planning/existing-mailboxes.ts';
import { createSlotDemand } from '../../../../shared/imports/planning/slot-demand.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { countedLedger } from '../../../support/planning-world.ts';
import { aMailbox } from '../../../support/records.ts';

const address = (n: number) => `user${n}@contoso.example`;

/** A connection whose mailboxes 0 to 99 are active, 100 to 199 failed with a slot, and 200 to 299 gave their slot back. */
async function connection() {
  const { ledger, calls } = countedLedger(inMemoryLedger());
  for (let n = 0; n < 300; n++) {
    const state = { status: n < 100 ? 'active' : n < 200 ? 'failed' : 'disconnected' } as const;
    const mailbox = aMailbox({ address: address(n), ...state, ...(n < 200 && { slotClaimedBy: 'imp_0' }) });
    await ledger.commit('conn_1', [{ op: 'createMailbox', mailbox }]);
  }
  Object.assign(calls, { commit: 0 });
  return { ledger, calls };
}

async function demandOf(count: number, from = 0) {
  const { ledger, calls } = await connection();
  const demand = createSlotDemand({ ledger }, 'conn_1');
  for (let n = from; n < from + count; n++) {
    for (const line of [n + 2, n + 1_000_000]) demand.count({ line, ok: true, address: address(n) });
  }
  demand.count({ line: 9_999_999, ok: false, address: 'x', code: 'address_malformed', message: 'Wrong.' });
  return { demand, calls };
}

it('reads nothing if there are slots enough for every address', async () => {
  const { demand, calls } = await demandOf(10_000);
  expect(await demand.needed(10_000)).toBe(10_000);
  // The second line of each address, and the malformed one.
  expect(demand.unchecked()).toBe(10_001);
  expect(calls).toMatchObject({ getMailboxes: 0, eachMailbox: 0 });
});

it('looks a few addresses up, and needs no slot for mailboxes that are taken or hold one', async () => {
  const { demand, calls } = await demandOf(400);
  expect(await demand.needed(0)).toBe(200);
  expect(calls).toMatchObject({ getMailboxes: 1, eachMailbox: 0 });
});

it('reads the connection once for a large upload, and stops when the slots suffice', async () => {
  const { demand, calls } = await demandOf(10_000, 50);
  expect(await demand.needed(100)).toBe(10_000 - 150);
  expect(calls).toMatchObject({ getMailboxes: 0, eachMailbox: 1 });
  expect(await demand.needed(9_999)).toBe(9_999);
});

it('finds the mailboxes of an upload of any size, with one reading of the connection at most', async () => {
  const { ledger, calls } = await connection();
  const find = createExistingMailboxes(ledger, 'conn_1');
  for (let from = 0; from < 20_000; from += 1_000) {
    const asked = Array.from({ length: 1_000 }, (_, i) => address((from + i) % 1_000));
    const found = await find(asked);
    expect(found.size).toBe(300);
    expect(found.get(address(5))).toEqual({ isTaken: true, holdsSlot: true });
    expect(found.get(address(150))).toEqual({ isTaken: false, holdsSlot: true });
    expect(found.get(address(250))).toEqual({ isTaken: false, holdsSlot: false });
    expect(found.get(address(300))).toBeUndefined();
  }
  expect(calls).toMatchObject({ getMailboxes: 5, eachMailbox: 1 });
});
