import fc from 'fast-check';
import { expect, it } from 'vitest';
import { identifiedResultOf } from '../../../../shared/imports/checking/identify-mailbox.ts';
import { CHANGES_MAX, type Ledger } from '../../../../shared/imports/ledger/ledger.ts';
import { createReportBook } from '../../../../shared/imports/ledger/report-book.ts';
import { openRowOf } from '../../../../shared/imports/ledger/row.ts';
import { createSerialByKey } from '../../../../shared/imports/ledger/serial-by-key.ts';
import { createSettler, type Settler } from '../../../../shared/imports/ledger/settler.ts';
import { sumTallies } from '../../../../shared/imports/ledger/tally.ts';
import { createTallyBook } from '../../../../shared/imports/ledger/tally-book.ts';
import { DomainError } from '../../../../shared/kernel/errors.ts';
import { identityKeysOf, type MailboxIdentity } from '../../../../shared/mailboxes/identity.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { aMailbox, aRow } from '../../../support/records.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const clock = { now: () => new Date() };
const at = (name: string) => `${name}@contoso.example`;
const passes = { 'graph.readWrite': { verdict: 'passed', checkedAt: NOW } } as const;
const jane: MailboxIdentity = { objectId: 'object-of-jane', inboxKey: 'inbox-of-jane' };

/** Settles rows in a process of its own. */
function aProcess(id: string, ledger: Ledger, together = 8): Settler {
  const reports = createReportBook({ clock, running: () => 0 });
  const tallies = createTallyBook(id, reports, clock);
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, Math.min(ms, 1)));
  return createSettler(
    { ledger, serialByKey: createSerialByKey(), reports, tallies, clock, sleep },
    { together, withinMs: 1 },
  );
}

/** Adds an open row and its mailbox with a slot, or opens the mailbox again. */
async function open(ledger: Ledger, importId: string, line: number, address: string) {
  const row = aRow({ importId, line, address });
  const opened = { status: 'pending', openRow: openRowOf(row), slotClaimedBy: importId } as const;
  const known = await ledger.getMailbox('conn_1', address);
  await ledger.commit('conn_1', [
    { op: 'createRow', row },
    known
      ? { op: 'mergeMailbox', address, patch: opened, tag: known.tag }
      : { op: 'createMailbox', mailbox: aMailbox({ address, importId, ...opened }) },
  ]);
  const rowTag = (await ledger.getRow('conn_1', importId, line))?.tag ?? '';
  return { connectionId: 'conn_1', importId, line, address, rowTag, attempt: 0 };
}

type Location = Awaited<ReturnType<typeof open>>;

const settle = (settler: Settler, location: Location, identity: MailboxIdentity, knownAs?: MailboxIdentity) =>
  settler.settle({
    ...location,
    ...identifiedResultOf(
      { findings: passes, mailboxKind: 'user', identity },
      { address: location.address, ...(knownAs && { knownAs }) },
      NOW,
    ),
  });

const mailboxOf = async (ledger: Ledger, address: string) => (await ledger.getMailbox('conn_1', address))?.value;
const rowOf = async (ledger: Ledger, { importId, line }: Location) =>
  (await ledger.getRow('conn_1', importId, line))?.value;

it('two names of a mailbox that two processes check at the same moment end as one mailbox with one slot', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        names: fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 6 }),
        owners: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 6, maxLength: 6 }),
        processes: fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 6, maxLength: 6 }),
        lost: fc.array(fc.boolean(), { maxLength: 5 }),
        knows: fc.constantFrom('objectId', 'inboxKey', 'both'),
      }),
      async ({ names, owners, processes, lost, knows }) => {
        const ledger = inMemoryLedger();
        const answers = [...lost];
        const faulty: Ledger = {
          ...ledger,
          async commit(...args) {
            // The transaction is committed or not, and nobody learns which.
            const isLost = answers.shift();
            const result = isLost && answers.length % 2 === 0 ? undefined : await ledger.commit(...args);
            if (isLost || !result) throw new DomainError('storage_unavailable', 'no answer');
            return result;
          },
        };
        const settlers = [aProcess('one', faulty), aProcess('two', faulty)];
        const rows = await Promise.all(names.map((name, i) => open(ledger, `imp_${i % 2}`, i + 2, at(`name${name}`))));
        await Promise.all(
          rows.map((row, i) => {
            const owner = `owner-${owners[i]}`;
            const identity = {
              ...(knows !== 'inboxKey' && { objectId: owner }),
              ...(knows !== 'objectId' && { inboxKey: owner }),
            };
            return settle(settlers[processes[i] ?? 0] as Settler, row, identity);
          }),
        );
        const distinct = new Set(names.map((_, i) => owners[i])).size;
        expect(await ledger.countSlots('conn_1')).toBe(distinct);
        const states = await Promise.all(rows.map(async (row) => (await rowOf(ledger, row))?.state));
        expect(states.filter((state) => state === 'passed')).toHaveLength(distinct);
        expect(states.filter((state) => state === 'failed')).toHaveLength(names.length - distinct);
        const tallies = [
          ...(await ledger.listTallies('conn_1', 'imp_0')),
          ...(await ledger.listTallies('conn_1', 'imp_1')),
        ];
        expect(sumTallies(tallies)).toMatchObject({
          passed: distinct,
          failed: names.length - distinct,
          slotsFreed: names.length - distinct,
        });
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 60) },
  );
});

it('the second name says which mailbox it is, with the cause same_mailbox on each probe', async () => {
  const ledger = inMemoryLedger();
  const settler = aProcess('one', ledger);
  await settle(settler, await open(ledger, 'imp_1', 2, at('jane')), jane);
  const second = await open(ledger, 'imp_2', 2, at('jdoe'));
  await settle(settler, second, jane);
  expect(await rowOf(ledger, second)).toMatchObject({
    state: 'failed',
    cause: 'same_mailbox',
    detail: expect.stringContaining(at('jane')),
  });
  expect(await mailboxOf(ledger, at('jdoe'))).toMatchObject({
    status: 'failed',
    checks: { 'graph.readWrite': { verdict: 'failed', cause: 'same_mailbox' } },
  });
  expect((await mailboxOf(ledger, at('jdoe')))?.slotClaimedBy).toBeUndefined();
  expect(await mailboxOf(ledger, at('jane'))).toMatchObject({ status: 'active', slotClaimedBy: 'imp_1' });
});

it('another name takes the mailbox over once the first has given its slot back, and then the first one is the second', async () => {
  const ledger = inMemoryLedger();
  const settler = aProcess('one', ledger);
  await settle(settler, await open(ledger, 'imp_1', 2, at('jane')), jane);
  await ledger.commit('conn_1', [
    { op: 'mergeMailbox', address: at('jane'), patch: { status: 'disconnected', slotClaimedBy: null } },
  ]);
  const second = await open(ledger, 'imp_2', 2, at('jdoe'));
  await settle(settler, second, jane);
  expect((await rowOf(ledger, second))?.state).toBe('passed');
  const again = await open(ledger, 'imp_3', 2, at('jane'));
  await settle(settler, again, jane, jane);
  expect(await rowOf(ledger, again)).toMatchObject({ state: 'failed', cause: 'same_mailbox' });
});

it('a mailbox that is checked again keeps its own identity', async () => {
  const ledger = inMemoryLedger();
  const settler = aProcess('one', ledger);
  await settle(settler, await open(ledger, 'imp_1', 2, at('jane')), jane);
  const again = await open(ledger, 'imp_2', 2, at('jane'));
  await settle(settler, again, { ...jane, primaryAddress: at('jane.smith') }, jane);
  expect(await rowOf(ledger, again)).toMatchObject({
    state: 'passed',
    detail: expect.stringContaining(at('jane.smith')),
  });
  expect((await mailboxOf(ledger, at('jane')))?.identity).toMatchObject({ primaryAddress: at('jane.smith') });
});

it('an address that belongs to a new mailbox says so, and no longer stands in the way of the earlier one', async () => {
  const ledger = inMemoryLedger();
  const settler = aProcess('one', ledger);
  await settle(settler, await open(ledger, 'imp_1', 2, at('jane')), jane);
  const again = await open(ledger, 'imp_2', 2, at('jane'));
  await settle(settler, again, { objectId: 'object-of-new', inboxKey: 'inbox-of-new' }, jane);
  expect(await rowOf(ledger, again)).toMatchObject({
    state: 'passed',
    detail: expect.stringContaining('another mailbox'),
  });
  expect(await mailboxOf(ledger, at('jane'))).toMatchObject({ replacedAt: NOW });
  const moved = await open(ledger, 'imp_3', 2, at('jane.smith'));
  await settle(settler, moved, jane);
  expect((await rowOf(ledger, moved))?.state).toBe('passed');
});

it('says so if nothing but the address identifies a mailbox', async () => {
  const ledger = inMemoryLedger();
  const row = await open(ledger, 'imp_1', 2, at('jane'));
  await settle(aProcess('one', ledger), row, {});
  expect(await rowOf(ledger, row)).toMatchObject({
    state: 'passed',
    detail: expect.stringContaining('another of its names'),
  });
});

it('never puts more than 100 changes into a transaction, with two identities for each mailbox', async () => {
  const ledger = inMemoryLedger();
  const sizes: number[] = [];
  const measured: Ledger = {
    ...ledger,
    async commit(connectionId, changes) {
      sizes.push(changes.length);
      return ledger.commit(connectionId, changes);
    },
  };
  const lines = Array.from({ length: 60 }, (_, i) => i);
  const rows = await Promise.all(lines.map((i) => open(ledger, `imp_${i % 3}`, i + 2, at(`user${i}`))));
  const settler = aProcess('one', measured, 60);
  await Promise.all(rows.map((row, i) => settle(settler, row, { objectId: `o${i}`, inboxKey: `f${i}` })));
  expect(Math.max(...sizes)).toBeLessThanOrEqual(CHANGES_MAX);
  expect(sizes).toHaveLength(3);
});

it('new mailboxes cost no request more than before, and known ones a few reads but no refused transaction', async () => {
  const ledger = inMemoryLedger();
  let commits = 0;
  let requests = 0;
  const counted = new Proxy(ledger, {
    get: (target, name) => {
      const call = Reflect.get(target, name);
      return (...args: unknown[]) => {
        requests++;
        if (name === 'commit') commits++;
        return call.apply(target, args);
      };
    },
  });
  const lines = Array.from({ length: 8 }, (_, i) => i);
  const rows = await Promise.all(lines.map((i) => open(ledger, 'imp_1', i + 2, at(`user${i}`))));
  const settler = aProcess('one', counted);
  await Promise.all(rows.map((row, i) => settle(settler, row, { objectId: `o${i}`, inboxKey: `f${i}` })));
  expect([requests, commits]).toEqual([1, 1]);
  const again = await Promise.all(lines.map((i) => open(ledger, 'imp_2', i + 2, at(`user${i}`))));
  const identities = lines.map((i) => ({ objectId: `o${i}`, inboxKey: `f${i}` }));
  await Promise.all(again.map((row, i) => settle(settler, row, identities[i] ?? {}, identities[i])));
  expect(commits).toBe(2);
});

const replacement: MailboxIdentity = { objectId: 'object-of-new', inboxKey: 'inbox-of-new' };
const keysNaming = async (ledger: Ledger, address: string) => {
  const keys = [jane, replacement].flatMap(identityKeysOf);
  const found = [...(await ledger.getIdentities('conn_1', keys)).values()];
  return found.filter(({ value }) => value.address === address).map(({ value }) => value.key);
};

it.each([
  ['passes', passes],
  ['fails', { 'graph.readWrite': { verdict: 'failed', cause: 'mailbox_disabled', checkedAt: NOW } } as const],
])(
  'leaves no identity of the earlier mailbox behind when its address belongs to another one that %s',
  async (_, findings) => {
    const ledger = inMemoryLedger();
    const settler = aProcess('one', ledger);
    await settle(settler, await open(ledger, 'imp_1', 2, at('jane')), jane);
    expect(await keysNaming(ledger, at('jane'))).toEqual(identityKeysOf(jane));
    const again = await open(ledger, 'imp_2', 2, at('jane'));
    const checked = { findings, mailboxKind: 'user', identity: replacement } as const;
    await settler.settle({ ...again, ...identifiedResultOf(checked, { address: at('jane'), knownAs: jane }, NOW) });
    const isPassed = (await rowOf(ledger, again))?.state === 'passed';
    expect(await keysNaming(ledger, at('jane'))).toEqual(isPassed ? identityKeysOf(replacement) : []);
  },
);

it('keeps the identity of another name that has taken the earlier mailbox over', async () => {
  const ledger = inMemoryLedger();
  const settler = aProcess('one', ledger);
  await settle(settler, await open(ledger, 'imp_1', 2, at('jane')), jane);
  await ledger.commit('conn_1', [
    { op: 'mergeMailbox', address: at('jane'), patch: { status: 'disconnected', slotClaimedBy: null } },
  ]);
  await settle(settler, await open(ledger, 'imp_2', 2, at('jdoe')), jane);
  await settle(settler, await open(ledger, 'imp_3', 2, at('jane')), replacement, jane);
  expect(await keysNaming(ledger, at('jdoe'))).toEqual(identityKeysOf(jane));
  expect(await keysNaming(ledger, at('jane'))).toEqual(identityKeysOf(replacement));
});

it('a result that comes too late removes no identity that its address has claimed again since', async () => {
  const ledger = inMemoryLedger();
  const settler = aProcess('one', ledger);
  const first = await open(ledger, 'imp_1', 2, at('jane'));
  await settle(settler, first, jane);
  const late = await settle(aProcess('two', ledger), first, replacement, jane);
  expect(late).toBe('dropped');
  expect(await keysNaming(ledger, at('jane'))).toEqual(identityKeysOf(jane));
});

it('keeps what an earlier check knew of the same mailbox, if this one may read less', async () => {
  const ledger = inMemoryLedger();
  const settler = aProcess('one', ledger);
  await settle(settler, await open(ledger, 'imp_1', 2, at('jane')), jane);
  await settle(settler, await open(ledger, 'imp_2', 2, at('jane')), { inboxKey: 'inbox-of-jane' }, jane);
  expect((await mailboxOf(ledger, at('jane')))?.identity).toEqual(jane);
  const second = await open(ledger, 'imp_3', 2, at('jdoe'));
  await settle(settler, second, { objectId: 'object-of-jane' });
  expect(await rowOf(ledger, second)).toMatchObject({ cause: 'same_mailbox' });
});
