import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type CauseCode, causeCodes } from '../../../../shared/causes/causes.ts';
import {
  addExplained,
  addSettled,
  type CauseTallies,
  sumCauses,
} from '../../../../shared/imports/ledger/cause-tally.ts';

const LONG = `${'x'.repeat(300)}@contoso.example`;

it('counts what failed or is inconclusive, and nothing else', () => {
  const row = (line: number, state: 'passed' | 'failed' | 'inconclusive' | 'cancelled', cause?: CauseCode) => ({
    line,
    address: `user${line}@contoso.example`,
    state,
    ...(cause && { cause }),
  });
  const settled = [
    row(2, 'failed', 'mailbox_full'),
    row(3, 'inconclusive', 'throttled'),
    row(4, 'passed'),
    row(5, 'cancelled', 'throttled'),
    row(6, 'failed', 'mailbox_full'),
  ];
  expect(addSettled({}, settled)).toEqual({
    mailbox_full: {
      count: 2,
      examples: [
        { line: 2, address: 'user2@contoso.example' },
        { line: 6, address: 'user6@contoso.example' },
      ],
    },
    throttled: { count: 1, examples: [{ line: 3, address: 'user3@contoso.example' }] },
  });
});

it('sums up to the causes that the rows end with, in whichever process they were settled and explained', () => {
  const cause = fc.constantFrom<CauseCode>('consent_missing', 'mailbox_out_of_scope', 'mailbox_full');
  const history = fc.array(
    fc.record({ settledBy: fc.nat(2), settled: cause, explainedBy: fc.nat(2), explained: fc.option(cause) }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(history, (rows) => {
      const writers: CauseTallies[] = [{}, {}, {}];
      const write = (i: number, change: (tallies: CauseTallies) => CauseTallies) => {
        writers[i] = change(writers[i] ?? {});
      };
      const expected = new Map<string, number>();
      rows.forEach(({ settledBy, settled, explainedBy, explained }, line) => {
        const row = { line, address: `user${line}@contoso.example` };
        write(settledBy, (tallies) => addSettled(tallies, [{ ...row, state: 'failed', cause: settled }]));
        if (explained)
          write(explainedBy, (tallies) => addExplained(tallies, [{ ...row, from: settled, to: explained }]));
        const final = explained ?? settled;
        expected.set(final, (expected.get(final) ?? 0) + 1);
      });
      const counts = Object.entries(sumCauses(writers)).map(([name, { count }]) => [name, count] as const);
      expect(new Map(counts.filter(([, count]) => count !== 0))).toEqual(expected);
    }),
  );
});

it('fits into one property of a table, with every cause and the longest examples', () => {
  let tallies: CauseTallies = {};
  for (const cause of causeCodes) {
    const rows = Array.from({ length: 10 }, (_, i) => ({ line: 999_999 + i, address: `${'x'.repeat(62)}@a.example` }));
    tallies = addSettled(
      tallies,
      [...rows, { line: 1, address: LONG }].map((row) => ({ ...row, state: 'failed', cause })),
    );
  }
  expect(Object.values(tallies).every(({ count, examples }) => count === 11 && examples.length === 5)).toBe(true);
  expect(JSON.stringify(tallies).length).toBeLessThan(32_768);
});
