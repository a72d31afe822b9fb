import { beforeEach, expect, it } from 'vitest';
import type { Findings, ProbeFinding } from '../../../../shared/causes/verdict.ts';
import { reviseExplanations } from '../../../../shared/imports/finishing/revise-explanations.ts';
import type { Ledger } from '../../../../shared/imports/ledger/ledger.ts';
import type { Mailbox } from '../../../../shared/mailboxes/mailbox.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { aMailbox, anImport, aRow } from '../../../support/records.ts';

const AT = new Date('2026-06-01T12:00:00Z');
const record = anImport();
const passes: ProbeFinding = { verdict: 'passed', checkedAt: AT };
const denied = (more: Partial<ProbeFinding> = {}): ProbeFinding => ({
  verdict: 'failed',
  cause: 'consent_missing',
  microsoftCode: 'ErrorAccessDenied',
  requestId: 'r-1',
  detail: 'said before all was known',
  checkedAt: AT,
  denial: { byPolicy: false, token: 'empty', mailboxOpened: false },
  ...more,
});
let ledger: Ledger;
beforeEach(() => {
  ledger = inMemoryLedger();
});

let line = 1;
async function add(name: string, checks: Findings, more: Partial<Mailbox> = {}): Promise<number> {
  line++;
  const address = `${name}@contoso.example`;
  const wrong = Object.values(checks).find(({ verdict }) => verdict === 'failed');
  const state = wrong ? 'failed' : 'passed';
  const row = aRow({ line, address, state, ...(wrong?.cause && { cause: wrong.cause }) });
  const mailbox = aMailbox({ address, kind: 'user', status: wrong ? 'failed' : 'active', checks, ...more });
  await ledger.commit('conn_1', [
    { op: 'createRow', row },
    { op: 'createMailbox', mailbox },
  ]);
  return line;
}
const causeOf = async (name: string, probe: 'graph.send' | 'graph.readWrite' = 'graph.send') =>
  (await ledger.getMailbox('conn_1', `${name}@contoso.example`))?.value.checks[probe];
const rowCause = async (at: number) => (await ledger.getRow('conn_1', 'imp_1', at))?.value.cause;

it('makes a denial out of scope where others pass the same probe, and changes no verdict', async () => {
  await add('jane', { 'graph.send': passes });
  const at = await add('omar', { 'graph.send': denied() });
  await reviseExplanations({ ledger }, record);
  const finding = await causeOf('omar');
  expect(finding).toMatchObject({ verdict: 'failed', cause: 'mailbox_out_of_scope', requestId: 'r-1' });
  expect(finding?.detail).toBeUndefined();
  expect(await rowCause(at)).toBe('mailbox_out_of_scope');
});

it('leaves it to the consent where none passes', async () => {
  const at = await add('omar', { 'graph.send': denied() });
  await reviseExplanations({ ledger }, record);
  expect((await causeOf('omar'))?.cause).toBe('consent_missing');
  expect(await rowCause(at)).toBe('consent_missing');
});

it('asks of each probe whether others pass it', async () => {
  await add('jane', { 'graph.readWrite': passes, 'graph.send': denied() });
  await add('omar', { 'graph.readWrite': denied(), 'graph.send': denied() });
  await reviseExplanations({ ledger }, record);
  expect((await causeOf('omar', 'graph.readWrite'))?.cause).toBe('mailbox_out_of_scope');
  expect((await causeOf('omar', 'graph.send'))?.cause).toBe('consent_missing');
});

it('leaves alone what the directory or a policy explains, and what another import works on', async () => {
  await add('jane', { 'graph.send': passes });
  await add('guest', { 'graph.send': denied({ cause: 'address_is_guest' }) });
  await add('legal', {
    'graph.send': denied({
      cause: 'access_policy_blocked',
      denial: { byPolicy: true, token: 'grants', mailboxOpened: false },
    }),
  });
  await add('busy', { 'graph.send': denied() }, { importId: 'imp_2' });
  await reviseExplanations({ ledger }, record);
  expect((await causeOf('guest'))?.cause).toBe('address_is_guest');
  expect((await causeOf('legal'))?.cause).toBe('access_policy_blocked');
  expect((await causeOf('busy'))?.cause).toBe('consent_missing');
});

it('puts right more than one transaction holds, and can be repeated', async () => {
  await add('jane', { 'graph.send': passes });
  const lines: number[] = [];
  for (let n = 0; n < 120; n++) lines.push(await add(`user${n}`, { 'graph.send': denied() }));
  await reviseExplanations({ ledger }, record);
  await reviseExplanations({ ledger }, record);
  for (const at of lines) expect(await rowCause(at)).toBe('mailbox_out_of_scope');
});
