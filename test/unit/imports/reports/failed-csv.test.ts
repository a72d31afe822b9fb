import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toRow } from '../../../../shared/imports/planning/planned-row.ts';
import { failedCsv } from '../../../../shared/imports/reports/report-files.ts';
import { delimiters } from '../../../../shared/imports/upload/csv-format.ts';
import { parseRow, type RawRow } from '../../../../shared/imports/upload/parse-row.ts';
import type { ParsedRow } from '../../../../shared/imports/upload/parsed-row.ts';
import { readCsv } from '../../../../shared/imports/upload/read-csv.ts';

const RUNS = Number(process.env.RUNS ?? 300);
const limits = { maxBytes: 100_000_000, maxRows: 1_000_000, recordMaxBytes: 65_536, nameMaxLength: 200 };

const value = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...'=+-@\t\r\n\'" ,;aé1＝\0\uFEFF') }),
  fc.constantFrom(
    "'s-Hertogenbosch",
    '=HYPERLINK("http://a.example")',
    '+49 170 1',
    '@home',
    '-',
    "'=1",
    'sep=;',
    '#TYPE',
  ),
  fc.integer({ min: 150, max: 700 }).map((length) => 'x'.repeat(length)),
);
const address = fc.oneof(
  fc.emailAddress(),
  fc.emailAddress().map((text) => `=${text}`),
  fc.emailAddress().map((text) => `'+${text}`),
  fc.emailAddress().map((text) => `Jane <${text}>`),
  value,
);
const rawRow: fc.Arbitrary<RawRow> = fc.record(
  { address, displayName: value, dailyLimit: fc.oneof(fc.integer(), fc.double(), value), reference: value },
  { requiredKeys: ['address'] },
);

/** The rows of an import of these, as they are after each accepted one has failed. */
const failedRows = (rows: readonly ParsedRow[]) =>
  rows.map((parsed) => {
    const row = toRow('imp_1', parsed, undefined);
    return row.state === 'pending' ? { ...row, state: 'failed' as const, cause: 'mailbox_not_found' as const } : row;
  });

async function sendAgain(rows: readonly ParsedRow[], delimiter: (typeof delimiters)[number]): Promise<ParsedRow[]> {
  const format = failedCsv(delimiter);
  const file = Buffer.concat([format.header() ?? Buffer.alloc(0), format.rows(failedRows(rows))]);
  const upload = await readCsv(ReadableStream.from([file]), limits);
  expect(upload.columns).toMatchObject({ ignored: ['problem', 'fix'], delimiter, encoding: 'utf-8' });
  return Array.fromAsync(upload.rows);
}

/** What a text file cannot contain, and line ends, which are the same in any writing. */
const plain = (text: string | undefined) =>
  text?.replaceAll('\0', '\u001A').toWellFormed().replace(/\r\n?/g, '\n').trim();

function contentOf(row: ParsedRow) {
  const common = {
    ok: row.ok,
    address: plain(row.address),
    displayName: plain(row.displayName),
    reference: plain(row.reference),
  };
  if (row.ok) return { ...common, dailyLimit: row.dailyLimit };
  // An address that is cut can be wrong in another way.
  const code = row.address.endsWith('…') ? undefined : row.code;
  return { ...common, code, dailyLimit: plain(row.dailyLimitAsSent) };
}

describe('failed.csv, sent again', () => {
  it('gives the same rows, whatever is in them and whichever delimiter it has', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(rawRow, { minLength: 1, maxLength: 20 }),
        fc.constantFrom(...delimiters),
        async (raws, delimiter) => {
          const rows = raws.map((raw, i) => parseRow(i + 2, raw, limits));
          expect((await sendAgain(rows, delimiter)).map(contentOf)).toEqual(rows.map(contentOf));
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('rejects a value that was cut once more, and does not take its beginning for the value', async () => {
    const long = {
      address: `a@${'b'.repeat(60)}.${'c'.repeat(300)}.example`,
      displayName: 'n'.repeat(999),
      reference: 'r'.repeat(999),
    };
    const [again] = await sendAgain([parseRow(2, long, limits)], ',');
    expect(again).toMatchObject({
      ok: false,
      address: expect.stringMatching(/…$/),
      displayName: `${'n'.repeat(319)}…`,
      reference: `${'r'.repeat(319)}…`,
    });
  });

  it('says in each row what to correct', () => {
    const format = failedCsv(',');
    const rows = failedRows([
      parseRow(
        2,
        { address: 'jane@contoso.com', displayName: 'Doe, Jane', dailyLimit: '50', reference: 'r-1' },
        limits,
      ),
      parseRow(3, { address: 'nobody', displayName: '=1+1', dailyLimit: 'many' }, limits),
    ]);
    expect(format.rows(rows).toString()).toMatchInlineSnapshot(`
      "jane@contoso.com,"Doe, Jane",50,r-1,Microsoft found no mailbox with this address in the tenant.,"Check the address for typos and make sure that it belongs to this tenant. To see what the address is, run Get-EXORecipient -Identity <address> in Exchange Online PowerShell."
      nobody,'=1+1,many,,"This is not a valid e-mail address. Use an address such as jane@contoso.com. The daily limit must be a whole number from 1 to 10000. Correct it, or leave it empty.",
      "
    `);
    expect(format.header()?.toString()).toBe('\uFEFFemail_address,display_name,daily_limit,reference,problem,fix\r\n');
  });
});
