import fc from 'fast-check';
import { expect, it } from 'vitest';
import { identityKeysOf, inboxKeyOf } from '../../../../shared/mailboxes/identity.ts';
import { mailboxActions } from '../../../../shared/mailboxes/mailbox-action.ts';
import { noFaults } from '../../../support/import-world/faults.ts';
import { createWorld } from '../../../support/import-world/world.ts';

const ADDRESSES = 12;
const INBOXES = 4;
const addresses = Array.from({ length: ADDRESSES }, (_, i) => `name${i}@contoso.example`);

it('one mailbox has one slot, whatever its names are, however they move, and whatever is done with them', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.record({
        lostAnswers: fc.constantFrom(0, 0.05, 0.15),
        redelivered: fc.constantFrom(0, 0.3, 1),
        kills: fc.integer({ min: 0, max: 2 }),
        throttled: fc.constantFrom(0, 0.2),
        lostMessages: fc.constantFrom(0, 0.05),
      }),
      fc.array(fc.nat(INBOXES - 1), { minLength: ADDRESSES, maxLength: ADDRESSES }),
      fc.array(
        fc.record({
          what: fc.constantFrom('import', 'move', ...mailboxActions),
          from: fc.nat(ADDRESSES - 1),
          count: fc.integer({ min: 1, max: ADDRESSES }),
          after: fc.nat(240),
        }),
        { minLength: 4, maxLength: 16 },
      ),
      async (seed, faults, inboxes, steps) => {
        const inboxOf = (address: string) => `inbox${inboxes[addresses.indexOf(address)]}`;
        const world = await createWorld(seed, { ...noFaults, ...faults }, { verdictOf: () => 'passed', inboxOf });
        await world.startImport(addresses);
        for (const { what, from, count, after } of steps) {
          const some = addresses.slice(from, from + count);
          world.after(after, async () => {
            if (what === 'move') inboxes[from] = count % INBOXES;
            else if (what === 'import') await world.startImport(some);
            else await world.startAction(what, some);
          });
        }
        await world.run();

        const { ledger } = world;
        const mailboxes = (await Array.fromAsync(ledger.eachMailbox('conn_1'))).map(({ value }) => value);
        const holders = mailboxes.filter(({ slotClaimedBy }) => slotClaimedBy !== undefined);
        const held = holders.flatMap(({ identity = {} }) => identityKeysOf(identity));
        expect(new Set(held).size).toBe(held.length);
        expect(await world.slotsUsed()).toBe(holders.length);
        // No identity names an address that is gone, or that reaches another mailbox.
        const keys = Array.from({ length: INBOXES }, (_, i) =>
          identityKeysOf({ inboxKey: inboxKeyOf(`inbox${i}`) }),
        ).flat();
        for (const [key, { value }] of await ledger.getIdentities('conn_1', keys)) {
          const named = mailboxes.find(({ address }) => address === value.address);
          expect(identityKeysOf(named?.identity ?? {}), `${key} names ${value.address}`).toContain(key);
        }
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 8), endOnFailure: true },
  );
});
