import { describe, expect, it } from 'vitest';
import { presentSummary } from '../../../../functions/http/imports/import-summary.ts';
import { type CauseCode, causeCodes, causes } from '../../../../shared/causes/causes.ts';
import { type CauseTallies, EXAMPLES_MAX } from '../../../../shared/imports/ledger/cause-tally.ts';
import { summarizeImport } from '../../../../shared/imports/reports/summarize-import.ts';
import { rowFindingCodes } from '../../../../shared/imports/upload/row-findings.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { anImport, aPlan, aRow, aTally } from '../../../support/records.ts';
import { summaryText } from '../../../support/summary-text.ts';

async function aLedger(...writers: CauseTallies[]) {
  const ledger = inMemoryLedger();
  await ledger.commit('conn_1', [
    { op: 'createPlan', plan: aPlan({ done: true }) },
    ...writers.map((tallied, i) => ({
      op: 'writeTally' as const,
      tally: aTally({ writer: `p${i}.1`, causes: tallied }),
    })),
  ]);
  return ledger;
}

const example = (line: number) => ({ line, address: `user${line}@contoso.example` });

describe('the summary of an import', () => {
  it('begins with what concerns the connection, then the fix that helps most, and ends with what takes time', async () => {
    const one = { count: 1, examples: [] };
    const ledger = await aLedger({
      throttled: { count: 900, examples: [] },
      mailbox_full: { count: 20, examples: [] },
      internal_error: { count: 50, examples: [] },
      mailbox_not_found: { count: 30, examples: [] },
      consent_missing: one,
    });
    const { causes: groups } = await summarizeImport({ ledger }, anImport());
    expect(groups.map(({ cause }) => cause)).toEqual([
      'consent_missing',
      'mailbox_not_found',
      'mailbox_full',
      'internal_error',
      'throttled',
    ]);
  });

  it('adds up all processes, and leaves out a cause that no row has any more', async () => {
    const ledger = await aLedger(
      { mailbox_full: { count: 2, examples: [example(9), example(3)] }, consent_missing: { count: 4, examples: [] } },
      {
        mailbox_full: { count: 5, examples: [2, 4, 5, 6, 7].map(example) },
        consent_missing: { count: -4, examples: [] },
      },
    );
    const { causes: groups } = await summarizeImport({ ledger }, anImport());
    const lines = [2, 3, 4, 5, 6];
    expect(groups).toEqual([
      { cause: 'mailbox_full', mailboxes: 7, examples: lines.map((line) => example(line).address) },
    ]);
  });

  it('shows no example whose explanation was revised at the end', async () => {
    const ledger = await aLedger({ permission_missing: { count: 2, examples: [2, 3, 4].map(example) } });
    await ledger.commit('conn_1', [
      { op: 'createRow', row: aRow({ line: 2, state: 'failed', cause: 'mailbox_out_of_scope' }) },
      { op: 'createRow', row: aRow({ line: 3, state: 'failed', cause: 'permission_missing' }) },
      { op: 'createRow', row: aRow({ line: 4, state: 'failed', cause: 'permission_missing' }) },
    ]);
    const { causes: groups } = await summarizeImport({ ledger }, anImport({ status: 'completed' }));
    expect(groups).toMatchObject([{ mailboxes: 2, examples: [example(3).address, example(4).address] }]);
  });

  it('costs at most 52 requests, however many processes have settled rows', async () => {
    const many = { count: 1_000, examples: Array.from({ length: EXAMPLES_MAX }, (_, i) => example(i)) };
    const all = Object.fromEntries(causeCodes.map((cause) => [cause, many]));
    const ledger = await aLedger(...Array.from({ length: 40 }, () => all));
    let requests = 0;
    const counted = Object.fromEntries(
      (['getPlan', 'listTallies', 'getRow'] as const).map((name) => [
        name,
        (...args: [string, string, number]) => {
          requests++;
          return ledger[name](...args);
        },
      ]),
    ) as Pick<typeof ledger, 'getPlan' | 'listTallies' | 'getRow'>;
    await summarizeImport({ ledger: counted }, anImport({ status: 'completed' }));
    expect(requests).toBeLessThanOrEqual(52);
  });

  it('is gone with the rows of the import', async () => {
    const counts = { rows: 2, accepted: 2, rejected: 0, duplicates: 0, pending: 0, waiting: 0, passed: 2, failed: 0 };
    const record = anImport({ status: 'completed', counts: { ...counts, inconclusive: 0, cancelled: 0 } });
    await expect(summarizeImport({ ledger: inMemoryLedger() }, record)).rejects.toMatchObject({ code: 'gone' });
  });
});

it('with every cause and every finding, reads like a list of what to do', async () => {
  // Counts that tell the causes apart, and addresses as in a file that people wrote.
  const countOf = (cause: CauseCode) => 1 + ([...cause].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 58);
  const examplesOf = (cause: CauseCode) =>
    ['jane', 'omar', 'li', 'ana', 'tom'].slice(0, countOf(cause)).map((name, i) => ({
      line: 2 + i,
      address: `${name}.${causes[cause].concerns}@contoso.example`,
    }));
  const ledger = await aLedger(
    Object.fromEntries(causeCodes.map((cause) => [cause, { count: countOf(cause), examples: examplesOf(cause) }])),
  );
  const sumOf = (verdict: 'failed' | 'inconclusive') =>
    causeCodes.filter((cause) => causes[cause].verdict === verdict).reduce((sum, cause) => sum + countOf(cause), 0);
  const counts = { failed: sumOf('failed'), inconclusive: sumOf('inconclusive') };
  const passed = 2_398 - counts.failed - counts.inconclusive;
  await ledger.commit('conn_1', [
    { op: 'writeTally', tally: aTally({ writer: 'q.1', counts: { ...counts, passed } }) },
  ]);
  const plan = (await ledger.getPlan('conn_1', 'imp_1'))?.tag ?? '';
  const patch = {
    rows: 2_500,
    rejected: 90,
    duplicates: 12,
    accepted: 2_398,
    findingCounts: Object.fromEntries(rowFindingCodes.map((code, i) => [code, i + 1])),
    findingExamples: Object.fromEntries(
      rowFindingCodes.map((code, i) => [
        code,
        [{ line: 40 + i, ...(code !== 'address_missing' && { address: `row${i}@contoso.example` }) }],
      ]),
    ),
  };
  await ledger.commit('conn_1', [{ op: 'mergePlan', importId: 'imp_1', patch, tag: plan }]);
  const summary = presentSummary(await summarizeImport({ ledger }, anImport()));
  expect(summary.causes).toHaveLength(causeCodes.length);
  await expect(summaryText(JSON.parse(JSON.stringify(summary)))).toMatchFileSnapshot(
    '../../../fixtures/summary-of-every-cause.txt',
  );
});
