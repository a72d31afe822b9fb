import { expect, it } from 'vitest';
import { createTellChecked } from '../../../../shared/imports/ledger/tell-checked.ts';
import { faultsOfLine } from '../../../support/signal-lines.ts';

it('tells verdicts that were stored together in one line for each verdict and cause, without addresses', () => {
  const lines: Record<string, unknown>[] = [];
  const tell = createTellChecked((level, event, fields) => void lines.push({ level, event, ...fields }));
  tell('imp_1', [
    { line: 2, address: 'a@contoso.com', state: 'passed' },
    { line: 3, address: 'b@contoso.com', state: 'failed', cause: 'mailbox_not_found' },
    { line: 4, address: 'c@contoso.com', state: 'passed' },
    { line: 5, address: 'd@contoso.com', state: 'failed', cause: 'mailbox_full' },
    { line: 6, address: 'e@contoso.com', state: 'cancelled' },
  ]);
  const line = { level: 'info', event: 'mailboxes_checked', importId: 'imp_1' };
  expect(lines).toEqual([
    { ...line, verdict: 'passed', mailboxes: 2 },
    { ...line, verdict: 'failed', cause: 'mailbox_not_found', mailboxes: 1 },
    { ...line, verdict: 'failed', cause: 'mailbox_full', mailboxes: 1 },
  ]);
  expect(lines.flatMap(faultsOfLine)).toEqual([]);
});
