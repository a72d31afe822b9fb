import { expect, it } from 'vitest';
import type { Ledger } from '../../../../shared/imports/ledger/ledger.ts';
import { listFailedMailboxes } from '../../../../shared/imports/reports/list-failed-mailboxes.ts';
import { anImport, aRow } from '../../../support/records.ts';

/** A ledger that answers the pages that it is told to, and counts them. */
function scanning(answer: (fromLine: number) => Awaited<ReturnType<Ledger['scanRows']>>) {
  const counted = { scans: 0 };
  const scanRows: Ledger['scanRows'] = async (_connectionId, _importId, { fromLine }) => {
    counted.scans++;
    return answer(fromLine);
  };
  return { counted, ledger: { scanRows } };
}

const list = (ledger: Pick<Ledger, 'scanRows'>, fromLine = 0) =>
  listFailedMailboxes({ ledger }, anImport({ status: 'completed' }), ['imap_disabled'], fromLine);

it('ends while storage scans and finds nothing, and says where to go on', async () => {
  const { counted, ledger } = scanning((fromLine) => ({ rows: [], nextLine: fromLine + 1_000 }));
  expect(await list(ledger)).toEqual({ addresses: [], nextLine: 5_000 });
  expect(counted.scans).toBe(5);
});

it('gives up when storage does not come any further', async () => {
  const { counted, ledger } = scanning((fromLine) => ({ rows: [], nextLine: fromLine }));
  expect(await list(ledger, 7)).toEqual({ addresses: [], nextLine: 7 });
  expect(counted.scans).toBe(1);
});

it('goes on behind a short page, and ends with the last one', async () => {
  const failed = (line: number) =>
    aRow({ line, address: `m${line}@contoso.example`, state: 'failed', cause: 'imap_disabled' });
  const { counted, ledger } = scanning((fromLine) =>
    fromLine === 0 ? { rows: [failed(2)], nextLine: 3 } : { rows: [failed(9)] },
  );
  expect(await list(ledger)).toEqual({ addresses: ['m2@contoso.example', 'm9@contoso.example'] });
  expect(counted.scans).toBe(2);
});
