import fc from 'fast-check';
import { expect, it } from 'vitest';
import { removeGuard } from '../../../../shared/imports/upload/formula-guard.ts';
import { parseRow } from '../../../../shared/imports/upload/parse-row.ts';
import { DomainError } from '../../../../shared/kernel/errors.ts';
import { rowsOf, uploadLimits } from '../../../support/upload-bytes.ts';

const cell = fc.oneof(
  fc.emailAddress(),
  fc.constantFrom('', 'jane@contoso.com', '50', '0', ' x ', '=1+1', 'a,b;c\td', 'say ""', '"', 'two\nlines', 'Ζωή 😀'),
  fc.string({ maxLength: 20, unit: 'grapheme' }).filter((text) => !text.includes('\0') && !text.includes('\r')),
);
const table = fc.array(fc.tuple(fc.emailAddress(), cell, cell, cell), { minLength: 1, maxLength: 12 });
const style = fc.record({
  delimiter: fc.constantFrom(',', ';', '\t', '|'),
  eol: fc.constantFrom('\n', '\r\n', '\r'),
  encoding: fc.constantFrom('utf8', 'utf16le', 'utf16be'),
  mark: fc.boolean(),
  first: fc.constantFrom('sep', 'type', 'none'),
  ended: fc.boolean(),
  quotes: fc.constantFrom('all', 'needed'),
  sizes: fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 }),
});

it('reads the same rows from every encoding and format, and from chunks of any size', async () => {
  await fc.assert(
    fc.asyncProperty(table, style, async (rows, how) => {
      const expected = [];
      let line = how.first === 'none' ? 2 : 3;
      for (const cells of rows) {
        // An apostrophe before a formula is a guard of the program that wrote the file.
        const [address = '', displayName, dailyLimit, reference] = cells.map(removeGuard);
        expected.push(parseRow(line, { address, displayName, dailyLimit, reference }, uploadLimits));
        line += cells.join('').split('\n').length;
      }
      const { rows: parsed } = await rowsOf(write(rows, how), { sizes: how.sizes });
      expect(parsed).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

it('reads the same rows from Windows-1252, from chunks of any size', async () => {
  const unit = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz éèüöäßñçåøÉÜÖÄ-');
  // More accented letters in a row are taken for another alphabet.
  const name = fc.string({ unit, maxLength: 20 }).filter((text) => !/[À-ÿ]{5}/.test(text));
  const sizes = fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(fc.array(name, { minLength: 1, maxLength: 60 }), sizes, async (names, how) => {
      const csv = `email;name\n${names.map((one) => `a@contoso.com;${one}\n`).join('')}`;
      const { columns, rows } = await rowsOf(Buffer.from(csv, 'latin1'), { sizes: how });
      expect(columns.encoding).toBe(/[À-ÿ]/.test(csv) ? 'windows-1252' : 'utf-8');
      expect(rows.map((row) => (row.ok ? (row.displayName ?? '') : row.code))).toEqual(names.map((one) => one.trim()));
    }),
    { numRuns: 300 },
  );
});

it('reads any bytes as rows with rising line numbers, from any line on, or refuses them with a DomainError', async () => {
  const pieces = fc.array(
    fc.constantFrom('a@contoso.com', ',', ';', '"', '""', '\n', '\r', '\r\n', ' ', '\t', 'x', '\ufeff', '\u00a0', 'é'),
    { maxLength: 60 },
  );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((random) => Buffer.from(random)),
    pieces.map((parts) => Buffer.from(`email,name\n${parts.join('')}`)),
  );
  await fc.assert(
    fc.asyncProperty(
      bytes,
      fc.integer({ min: 1, max: 50 }),
      fc.constantFrom(12, 65_536),
      async (file, size, recordMaxBytes) => {
        const read = (sizes: number[]) =>
          rowsOf(file, { sizes, recordMaxBytes }).then(
            ({ rows }) => rows,
            (error: unknown) => {
              if (!(error instanceof DomainError)) throw error;
              return error.code;
            },
          );
        const rows = await read([size]);
        expect(await read([65_536])).toEqual(rows);
        if (typeof rows === 'string') return;
        const lines = rows.map(({ line }) => line);
        expect(lines).toEqual([...new Set(lines)].sort((a, b) => a - b));
        for (const afterLine of [1, ...lines]) {
          const rest = rows.filter(({ line }) => line > afterLine);
          expect((await rowsOf(file, { sizes: [size], recordMaxBytes, afterLine })).rows).toEqual(rest);
        }
      },
    ),
    { numRuns: 500 },
  );
});

function write(
  rows: readonly (readonly string[])[],
  how: typeof style extends fc.Arbitrary<infer T> ? T : never,
): Buffer {
  const { delimiter, eol } = how;
  const quoted = (text: string) => {
    const needed = /[,;\t|"\n]|^\s|\s$/.test(text) || how.quotes === 'all';
    return needed ? `"${text.replaceAll('"', '""').replaceAll('\n', eol)}"` : text;
  };
  const lines = [['email', 'name', 'limit', 'reference'], ...rows].map((row) => row.map(quoted).join(delimiter));
  const first = { sep: `sep=${delimiter}${eol}`, type: `#TYPE System.Object${eol}`, none: '' }[how.first];
  const text = `${first}${lines.join(eol)}${how.ended ? eol : ''}`;
  // Without a mark, UTF-16 is detected by its zero bytes, and text in other scripts may have too few.
  const marked = `${how.mark || how.encoding !== 'utf8' ? '\ufeff' : ''}${text}`;
  if (how.encoding === 'utf8') return Buffer.from(marked);
  const utf16 = Buffer.from(marked, 'utf16le');
  return how.encoding === 'utf16be' ? utf16.swap16() : utf16;
}
