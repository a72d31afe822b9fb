import { beforeEach, expect, it } from 'vitest';
import type { Findings, ProbeFinding } from '../../../../shared/causes/verdict.ts';
import { findMorePassedProbes, findPassedProbes } from '../../../../shared/imports/finishing/find-passed-probes.ts';
import { reviseExplanations } from '../../../../shared/imports/finishing/revise-explanations.ts';
import type { ExplainCheckpoint } from '../../../../shared/imports/import.ts';
import type { HeldLease } from '../../../../shared/imports/import-lease.ts';
import type { Ledger } from '../../../../shared/imports/ledger/ledger.ts';
import { createSerialByKey } from '../../../../shared/imports/ledger/serial-by-key.ts';
import { createTallyBook } from '../../../../shared/imports/ledger/tally-book.ts';
import type { Mailbox } from '../../../../shared/mailboxes/mailbox.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { aMailbox, anImport, aRow } from '../../../support/records.ts';

const AT = new Date('2026-06-01T12:00:00Z');
const record = anImport();
const passed: ProbeFinding = { verdict: 'passed', checkedAt: AT };
const denied = (more: Partial<ProbeFinding> = {}): ProbeFinding => ({
  verdict: 'failed',
  cause: 'consent_missing',
  microsoftCode: 'ErrorAccessDenied',
  requestId: 'r-1',
  detail: 'An explanation that is revised.',
  checkedAt: AT,
  denial: { byPolicy: false, token: 'empty', mailboxOpened: false },
  ...more,
});
let ledger: Ledger;
beforeEach(() => {
  ledger = inMemoryLedger();
});

/** Every step of the explanations, one after the other. */
async function reviseAll(): Promise<void> {
  const leased: HeldLease = {
    record,
    keep: async () => true,
    write: async () => true,
    during: (work) => work(),
    onRelease: () => undefined,
  };
  const countOf = async (state: 'failed' | 'passed') =>
    (await ledger.findRows('conn_1', 'imp_1', { fromLine: 0, states: [state], limit: 1_000 })).length;
  const counts = { failed: await countOf('failed'), passed: await countOf('passed') };
  const tallies = createTallyBook('p', { write: () => undefined }, { now: () => AT });
  const deps = { ledger, serialByKey: createSerialByKey(), tallies };
  let next: ExplainCheckpoint | 'done' | 'lost' = await findPassedProbes(ledger, record, counts);
  for (;;) {
    if (next === 'done') return;
    if (next === 'lost') throw new Error('the lease is lost');
    if (next.step === 'findPassed') next = await findMorePassedProbes(ledger, record, next);
    else if (next.step === 'explain') next = await reviseExplanations(deps, leased, next, counts.failed);
  }
}

let line = 1;
async function add(name: string, checks: Findings, more: Partial<Mailbox> = {}): Promise<number> {
  line++;
  const address = `${name}@contoso.example`;
  const failure = Object.values(checks).find(({ verdict }) => verdict === 'failed');
  const state = failure ? 'failed' : 'passed';
  const { cause, detail } = failure ?? {};
  const row = aRow({ line, address, state, ...(cause && { cause }), ...(detail && { detail }) });
  const mailbox = aMailbox({ address, kind: 'user', line, status: failure ? 'failed' : 'active', checks, ...more });
  await ledger.commit('conn_1', [
    { op: 'createRow', row },
    { op: 'createMailbox', mailbox },
  ]);
  return line;
}
const findingOf = async (name: string, probe: 'graph.send' | 'graph.readWrite' = 'graph.send') =>
  (await ledger.getMailbox('conn_1', `${name}@contoso.example`))?.value.checks[probe];
const rowAt = async (at: number) => (await ledger.getRow('conn_1', 'imp_1', at))?.value;
const rowCauseOf = async (at: number) => (await rowAt(at))?.cause;

it('explains a denial as out of scope if another mailbox passes the same probe, and keeps the verdict', async () => {
  await add('jane', { 'graph.send': passed });
  const at = await add('omar', { 'graph.send': denied() });
  await reviseAll();
  const finding = await findingOf('omar');
  expect(finding).toMatchObject({ verdict: 'failed', cause: 'mailbox_out_of_scope', requestId: 'r-1' });
  expect(finding?.detail).toBeUndefined();
  expect(await rowCauseOf(at)).toBe('mailbox_out_of_scope');
  expect((await rowAt(at))?.detail).toBeUndefined();
});

it('keeps the missing consent as the cause if no mailbox passes', async () => {
  const at = await add('omar', { 'graph.send': denied() });
  await reviseAll();
  expect((await findingOf('omar'))?.cause).toBe('consent_missing');
  expect(await rowCauseOf(at)).toBe('consent_missing');
});

it('decides for each probe whether other mailboxes pass it', async () => {
  await add('jane', { 'graph.readWrite': passed, 'graph.send': denied() });
  await add('omar', { 'graph.readWrite': denied(), 'graph.send': denied() });
  await reviseAll();
  expect((await findingOf('omar', 'graph.readWrite'))?.cause).toBe('mailbox_out_of_scope');
  expect((await findingOf('omar', 'graph.send'))?.cause).toBe('consent_missing');
});

it('changes no finding that the directory or a policy explains, and no mailbox of another import', async () => {
  await add('jane', { 'graph.send': passed });
  await add('guest', { 'graph.send': denied({ cause: 'address_is_guest' }) });
  await add('legal', {
    'graph.send': denied({
      cause: 'access_policy_blocked',
      denial: { byPolicy: true, token: 'grants', mailboxOpened: false },
    }),
  });
  await add('busy', { 'graph.send': denied() }, { importId: 'imp_2' });
  await reviseAll();
  expect((await findingOf('guest'))?.cause).toBe('address_is_guest');
  expect((await findingOf('legal'))?.cause).toBe('access_policy_blocked');
  expect((await findingOf('busy'))?.cause).toBe('consent_missing');
});

it('revises more rows than fit into one transaction, and can be repeated', async () => {
  await add('jane', { 'graph.send': passed });
  const lines: number[] = [];
  for (let n = 0; n < 120; n++) lines.push(await add(`user${n}`, { 'graph.send': denied() }));
  await reviseAll();
  await reviseAll();
  for (const at of lines) expect(await rowCauseOf(at)).toBe('mailbox_out_of_scope');
});

it('leaves a mailbox alone that is about to be deleted, which a change would keep from being deleted', async () => {
  await add('jane', { 'graph.send': passed });
  await add('omar', { 'graph.send': denied() }, { status: 'disconnected', removedBy: 'act_1' });
  const before = await ledger.getMailbox('conn_1', 'omar@contoso.example');
  await reviseAll();
  expect(await ledger.getMailbox('conn_1', 'omar@contoso.example')).toEqual(before);
});
