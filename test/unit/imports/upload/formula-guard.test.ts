import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guardFormulas, removeGuard } from '../../../../shared/imports/upload/formula-guard.ts';

const RUNS = Number(process.env.RUNS ?? 2_000);
const tricky = fc.string({ unit: fc.constantFrom(...'=+-@\t\r\n\'" ,;aé1＝') });

describe('a guarded value', () => {
  it.each([
    ['=1+1', "'=1+1"],
    ['+49 170 1', "'+49 170 1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t'=1"],
    ['\r=1', "'\r'=1"],
    ['＝1', "'＝1"],
    [' =1', " '=1"],
    ['"=1"', `"'=1"`],
    // Opened in a spreadsheet that splits lines at semicolons, the second part is a cell of its own.
    ['Jane;=1+1;', "Jane;'=1+1;"],
    ["'=1", "''=1"],
  ])('%j is written as %j', (value, guarded) => {
    expect(guardFormulas(value)).toBe(guarded);
    expect(removeGuard(guarded)).toBe(value);
  });

  it.each(['Jane', "'s-Hertogenbosch", "O'Neil", 'a=b', 'jane@contoso.com', 'Doe, Jane - Sales', "''", '1-2', ''])(
    '%j is written as it is',
    (value) => {
      expect(guardFormulas(value)).toBe(value);
      expect(removeGuard(value)).toBe(value);
    },
  );

  it('is the same value again without its guard, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(tricky, fc.string({ unit: 'binary' })), (value) => {
        expect(removeGuard(guardFormulas(value))).toBe(value);
      }),
      { numRuns: RUNS },
    );
  });

  it('begins no cell with a formula, wherever a spreadsheet splits it', () => {
    fc.assert(
      fc.property(tricky, (value) => {
        for (const cell of guardFormulas(value).split(/[,;\t\r\n]/)) expect(cell).not.toMatch(/^[ "]*[=+\-@＝]/);
        expect(guardFormulas(value)).not.toMatch(/^[\t\r\n]/);
      }),
      { numRuns: RUNS },
    );
  });

  it('takes time in proportion to its length', () => {
    for (const unit of ["'", ' ', '"', '=', ";'", '; ']) {
      const startedAt = performance.now();
      guardFormulas(unit.repeat(200_000));
      expect(performance.now() - startedAt).toBeLessThan(1_000);
    }
  });
});
