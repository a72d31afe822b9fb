import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { removeGuard } from '../../../../shared/imports/upload/formula-guard.ts';
import { openFile } from '../../../../shared/imports/upload/open-file.ts';
import { describeColumns, readUpload } from '../../../../shared/imports/upload/read-upload.ts';
import { createWorkbookReader, type WorkbookLimits } from '../../../../shared/imports/upload/xlsx/read-workbook.ts';
import { DomainError } from '../../../../shared/kernel/errors.ts';
import { chunksOf, uploadLimits } from '../../../support/upload-bytes.ts';
import {
  escapeXml,
  inlineRow,
  type Part,
  sheetOf,
  workbookOf,
  workbookParts,
  zipOf,
} from '../../../support/workbook.ts';

const workbookLimits: WorkbookLimits = { ...uploadLimits, workbookMaxBytes: 25_000_000, unpackedMaxBytes: 400_000_000 };

async function read(file: Uint8Array, limits: Partial<WorkbookLimits> = {}) {
  const all = { ...workbookLimits, ...limits };
  const opened = await openFile(chunksOf(file), createWorkbookReader(all));
  const { columns, rows } = await readUpload(opened.type, opened.bytes, { ...uploadLimits, ...all });
  const found = await Array.fromAsync(rows);
  return { columns: describeColumns(columns, opened), rows: found };
}

const row = (line: number, address: string, more = {}) => ({ line, ok: true, address, ...more });
const refusal = (code: string, detail: RegExp) =>
  expect.objectContaining({ code, detail: expect.stringMatching(detail) });
const header = inlineRow(1, ['Email', 'Name', 'Daily limit', 'Reference']);
const withHeader = (rest: string, more = {}) => workbookOf({ sheetData: header + rest, ...more });

describe('reads the first visible sheet of a workbook', () => {
  it('with the numbers of its rows, its name and its columns', async () => {
    const { columns, rows } = await read(
      withHeader(`${inlineRow(2, ['a@contoso.com', 'Jürgen', '50', 'r-1'])}${inlineRow(7, ['b@contoso.com'])}`),
    );
    expect(columns).toEqual({
      used: { address: 'Email', displayName: 'Name', dailyLimit: 'Daily limit', reference: 'Reference' },
      ignored: [],
      hasHeader: true,
      sheet: 'Mailboxes',
    });
    expect(rows).toEqual([
      row(2, 'a@contoso.com', { displayName: 'Jürgen', dailyLimit: 50, reference: 'r-1' }),
      row(7, 'b@contoso.com'),
    ]);
  });

  it('behind hidden sheets and charts', async () => {
    const workbook =
      '<sheets><sheet name="Chart" sheetId="3" r:id="rId5"/><sheet name="Old" sheetId="1" state="hidden" r:id="rId1"/><sheet name="New" sheetId="2" r:id="rId2"/></sheets>';
    const further = [{ name: 'xl/worksheets/sheet2.xml', content: sheetOf(inlineRow(1, ['a@contoso.com'])) }];
    const { columns, rows } = await read(workbookOf({ workbook, further }));
    expect(columns).toEqual({ used: { address: 'column 1' }, ignored: [], hasHeader: false, sheet: 'New' });
    expect(rows).toEqual([row(1, 'a@contoso.com')]);
  });

  it('with a title above the table, notes beside it, and empty rows', async () => {
    const { columns, rows } = await read(
      workbookOf({
        sheetData: [
          '<row r="1"><c r="B1" t="str"><v>Mailboxes of Contoso</v></c></row><row r="2"/>',
          '<row r="3"><c r="B3" t="str"><v>E-Mail</v></c><c r="C3" t="str"><v>Anzeigename</v></c></row>',
          '<row r="4"><c r="B4" t="str"><v>a@contoso.com</v></c><c r="F4" t="str"><v>please check!</v></c></row>',
          '<row r="5"><c r="C5" t="str"><v> </v></c></row>',
          '<row r="6"><c r="C6" t="str"><v>Bob</v></c><c r="B6" t="str"><v>b@contoso.com</v></c></row>',
        ].join(''),
      }),
    );
    expect(columns).toMatchObject({ used: { address: 'E-Mail', displayName: 'Anzeigename' }, ignored: [] });
    expect(rows).toEqual([row(4, 'a@contoso.com'), row(6, 'b@contoso.com', { displayName: 'Bob' })]);
  });

  it('with rows and cells that have no numbers, under a prefix, in UTF-16', async () => {
    const sheet = `<x:worksheet xmlns:x="m"><x:sheetData><x:row><x:c t="str"><x:v>mail</x:v></x:c></x:row><x:row><x:c t="str"><x:v>a@contoso.com</x:v></x:c></x:row></x:sheetData></x:worksheet>`;
    expect((await read(workbookOf({ sheet }))).rows).toEqual([row(2, 'a@contoso.com')]);
    const utf16 = Buffer.from(`\ufeff${sheet}`, 'utf16le');
    expect((await read(workbookOf({ sheet: utf16 }))).rows).toEqual([row(2, 'a@contoso.com')]);
  });

  it('and leaves no file behind', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'xlsx-'));
    vi.stubEnv('TMPDIR', folder);
    try {
      await read(withHeader(inlineRow(2, ['a@contoso.com'])));
      await expect(read(Buffer.from('PK\x03\x04broken', 'latin1'))).rejects.toThrow();
      const reader = createWorkbookReader(workbookLimits);
      for await (const _ of reader(chunksOf(withHeader(''))).csv) expect(readdirSync(folder)).toEqual([]);
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
      rmSync(folder, { recursive: true });
    }
  });
});

describe('reads a cell as a person reads it', () => {
  const styles = [
    '<numFmts><numFmt numFmtId="164" formatCode="00000"/><numFmt numFmtId="165" formatCode="[$-407]d\\.\\ mmmm\\ yyyy;@"/>',
    '<numFmt numFmtId="166" formatCode="yyyy\\-mm\\-dd\\ hh:mm"/><numFmt numFmtId="167" formatCode="0.00 &quot;days&quot;"/></numFmts>',
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>',
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="166"/><xf numFmtId="167"/><xf numFmtId="20"/></cellXfs>',
  ].join('');
  const strings =
    '<si><t>plain</t></si><si><r><t xml:space="preserve">rich </t></r><r><rPr><b/></rPr><t>text</t></r></si><si><t>漢字</t><rPh sb="0" eb="2"><t>かんじ</t></rPh></si><si><t>A_x000D_\nB _x005F_x000D_</t></si><si/>';

  it.each([
    ['a shared text', '<c t="s"><v>0</v></c>', 'plain'],
    ['a rich text', '<c t="s"><v>1</v></c>', 'rich text'],
    ['a text with its pronunciation', '<c t="s"><v>2</v></c>', '漢字'],
    ['a text of several lines', '<c t="s"><v>3</v></c>', 'A B _x000D_'],
    ['an empty shared text', '<c t="s"><v>4</v></c>', undefined],
    ['a rich text in the cell', '<c t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r></is></c>', 'ab'],
    ['the result of a formula', '<c t="str"><f>A1&amp;B1</f><v>x &amp; y</v></c>', 'x & y'],
    ['a formula without a result', '<c><f>A1&amp;B1</f></c>', '=A1&B1'],
    ['a number', '<c><v>4711</v></c>', '4711'],
    ['a number with the errors of floating point', '<c><v>0.30000000000000004</v></c>', '0.3'],
    ['a large number', '<c><v>1.5E+3</v></c>', '1500'],
    ['leading zeros', '<c s="2"><v>42</v></c>', '00042'],
    ['a date', '<c s="1"><v>46347</v></c>', '2026-11-21'],
    ['a date in another format', '<c s="3"><v>46347</v></c>', '2026-11-21'],
    ['a date and time', '<c s="4"><v>46347.4375</v></c>', '2026-11-21T10:30:00'],
    ['a time', '<c s="6"><v>0.4375</v></c>', '10:30:00'],
    ['a day before March 1900', '<c s="1"><v>1</v></c>', '1900-01-01'],
    ['a number with a unit', '<c s="5"><v>2</v></c>', '2'],
    ['a number that is no date', '<c s="1"><v>99999999</v></c>', '99999999'],
    ['an ISO date', '<c t="d"><v>2026-11-21</v></c>', '2026-11-21'],
    ['a truth value', '<c t="b"><v>1</v></c>', 'TRUE'],
    ['an error', '<c t="e"><v>#N/A</v></c>', '#N/A'],
    ['CDATA', '<c t="str"><v><![CDATA[<x>]]></v></c>', '<x>'],
    ['an empty cell with a style', '<c s="1"/>', undefined],
    ['a formula-like text', '<c t="str"><v>=1+1</v></c>', '=1+1'],
    ['quotation marks and separators', '<c t="str"><v>"a";b,c</v></c>', '"a";b,c'],
  ])('%s', async (_, cell, reference) => {
    const line = `<row r="2"><c r="A2" t="str"><v>a@contoso.com</v></c>${cell.replace('<c', '<c r="D2"')}</row>`;
    const { rows } = await read(withHeader(line, { styles, strings }));
    expect(rows).toEqual([row(2, 'a@contoso.com', reference === undefined ? {} : { reference })]);
  });

  it('dates from 1904', async () => {
    const workbook = '<workbookPr date1904="1"/><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets>';
    const line = '<row r="2"><c r="A2" t="str"><v>a@contoso.com</v></c><c r="D2" s="1"><v>44885</v></c></row>';
    expect((await read(withHeader(line, { styles, workbook }))).rows).toEqual([
      row(2, 'a@contoso.com', { reference: '2026-11-21' }),
    ]);
  });
});

describe('says what is wrong with a file that is no workbook it can read', () => {
  const file = (...names: string[]) => zipOf(names.map((name) => ({ name, content: 'x' })));
  const change = (name: string, changed: Partial<Part>) =>
    zipOf(
      workbookParts({ sheetData: header + inlineRow(2, ['a@contoso.com']), strings: '' }).map((part) =>
        part.name === name ? { ...part, ...changed } : part,
      ),
    );
  const sheet1 = 'xl/worksheets/sheet1.xml';

  it.each<[string, Buffer, string, RegExp]>([
    ['a ZIP archive with a CSV', file('mailboxes.csv'), 'file_not_text', /ZIP archive.*"mailboxes\.csv".*Unpack/],
    ['an empty ZIP archive', file(), 'file_not_text', /ZIP archive.*empty/],
    ['an ODS', file('mimetype', 'content.xml'), 'file_not_text', /OpenDocument.*\.xlsx/],
    ['an XLSB', file('xl/workbook.bin'), 'file_not_text', /\.xlsb/],
    ['a Word document', file('word/document.xml'), 'file_not_text', /Word document/],
    ['a Numbers document', file('Index/Document.iwa'), 'file_not_text', /Numbers.*Export To/],
    ['a part with a password', change(sheet1, { isEncrypted: true }), 'file_not_text', /password/],
    ['half of a workbook', withHeader('').subarray(0, 900), 'file_malformed', /damaged.*Open it in Excel/],
    ['a wrong checksum', change(sheet1, { stated: { crc: 1 } }), 'file_malformed', /sheet1\.xml" cannot be unpacked/],
    ['a wrong size', change(sheet1, { stated: { size: 10 } }), 'file_malformed', /cannot be unpacked/],
    ['a missing sheet', change(sheet1, { name: 'xl/other.xml' }), 'file_malformed', /lacks its part "xl\/worksheets/],
    [
      'XML that is cut off',
      change(sheet1, { content: '<worksheet><sheetData><row>' }),
      'file_malformed',
      /not valid XML/,
    ],
    [
      'a document type',
      change(sheet1, { content: '<!DOCTYPE a [<!ENTITY b "c">]><worksheet/>' }),
      'file_malformed',
      /document type/,
    ],
    ['an unknown entity', change(sheet1, { content: '<worksheet>&b;</worksheet>' }), 'file_malformed', /not valid XML/],
    ['a sheet without cells', change(sheet1, { content: '<worksheet/>' }), 'file_malformed', /no cells/],
    [
      'rows out of order',
      workbookOf({ sheetData: '<row r="2"/><row r="1"/>' }),
      'file_malformed',
      /row 2 is followed by row 1/,
    ],
    ['a row too many', workbookOf({ sheetData: '<row r="1048577"/>' }), 'file_malformed', /row 1048577/],
    ['a strange cell', workbookOf({ sheetData: '<row r="1"><c r="$"/></row>' }), 'file_malformed', /cell "\$"/],
    [
      'a column too many',
      workbookOf({ sheetData: '<row r="1"><c r="XFE1"/></row>' }),
      'file_malformed',
      /16384 columns/,
    ],
    ['a missing text', withHeader('<row r="2"><c t="s"><v>9</v></c></row>'), 'file_malformed', /no text 9/],
    [
      'no visible sheet',
      workbookOf({ workbook: '<sheets><sheet name="S" state="veryHidden" r:id="rId1"/></sheets>' }),
      'file_empty',
      /no visible sheet/,
    ],
    ['an empty sheet', workbookOf({}), 'file_empty', /sheet "Mailboxes" is empty.*first visible sheet/],
    ['a header only', withHeader(''), 'file_empty', /header, but no mailboxes/],
    [
      'no address column',
      workbookOf({ sheetData: inlineRow(1, ['First', 'Last']) }),
      'file_no_address_column',
      /"First", "Last"/,
    ],
  ])('%s', async (_, bytes, code, detail) => {
    await expect(read(bytes)).rejects.toEqual(refusal(code, detail));
  });

  it('names an old or protected workbook', async () => {
    const old = Buffer.concat([Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]), Buffer.alloc(1_000)]);
    await expect(read(old)).rejects.toEqual(refusal('file_not_text', /\.xls\).*password/));
  });
});

describe('is safe against workbooks that unpack to much more than they are', () => {
  const sheetStart = sheetOf('').slice(0, -'</sheetData></worksheet>'.length);
  const bomb = (repeated: string, size: number) =>
    workbookOf({ sheet: Buffer.concat([Buffer.from(sheetStart), Buffer.alloc(size, repeated)]) });

  it('refuses by the stated size, before it unpacks', async () => {
    const before = process.cpuUsage();
    await expect(read(bomb('<row/>', 50_000_000))).rejects.toEqual(refusal('payload_too_large', /unpacks to too much/));
    expect(process.cpuUsage(before).user).toBeGreaterThan(0);
    await expect(read(withHeader(''), { unpackedMaxBytes: 100 })).rejects.toEqual(
      refusal('payload_too_large', /at most 100 bytes/),
    );
  });

  it('refuses what is larger than it states', async () => {
    const sheet = sheetOf(Array.from({ length: 100_000 }, (_, n) => `<row r="${n + 1}"/>`).join(''));
    const parts = workbookParts({ sheet }).map((part) =>
      part.name.endsWith('sheet1.xml') ? { ...part, stated: { size: 900_000 } } : part,
    );
    await expect(read(zipOf(parts))).rejects.toEqual(refusal('file_malformed', /cannot be unpacked/));
  });

  it.each([
    ['nested elements', workbookOf({ sheet: '<a>'.repeat(10_000) }), /100 levels/],
    ['a long attribute', workbookOf({ sheet: `<a b="${'xy'.repeat(1_000_000)}"/>` }), /too long|too much/],
    [
      'a long text',
      workbookOf({ sheetData: `<row><c><v>${'12'.repeat(1_000_000)}</v></c></row>` }),
      /too long|too much/,
    ],
    ['a long comment', workbookOf({ sheet: `<a><!--${'xy'.repeat(1_000_000)}--></a>` }), /too long|too much/],
    ['many parts', zipOf(Array.from({ length: 10_001 }, (_, n) => ({ name: `${n}`, content: '' }))), /10000 parts/],
  ])('refuses %s', async (_, file, detail) => {
    await expect(read(file)).rejects.toMatchObject({ detail: expect.stringMatching(detail) });
  });

  it('refuses a workbook whose CSV is too large: one text in a million cells', async () => {
    const strings = `<si><t>${'x'.repeat(30_000)}</t></si>`;
    const cells = Array.from(
      { length: 5_000 },
      (_, n) => `<row r="${n + 2}"><c r="A${n + 2}" t="s"><v>0</v></c></row>`,
    );
    await expect(read(withHeader(cells.join(''), { strings }))).rejects.toEqual(
      refusal('payload_too_large', /100000000 bytes/),
    );
  });

  it('cuts a row at the length that a record may have, and rejects it alone', async () => {
    const long = inlineRow(2, ['a@contoso.com', ...Array.from({ length: 3 }, () => 'x'.repeat(32_767))]);
    const { rows } = await read(withHeader(long + inlineRow(3, ['b@contoso.com'])));
    expect(rows).toEqual([
      expect.objectContaining({ line: 2, ok: false, code: 'row_too_long' }),
      row(3, 'b@contoso.com'),
    ]);
  });

  it('413: refuses a file above the limit before it is complete', async () => {
    await expect(
      read(Buffer.concat([withHeader(''), Buffer.alloc(1_000)]), { workbookMaxBytes: 1_000 }),
    ).rejects.toEqual(refusal('payload_too_large', /larger than 1000 bytes/));
  });
});

it('reads the rows of any table back, from shared texts and from texts in the cells', async () => {
  const text = fc
    .oneof(
      fc.constantFrom('', 'a,b;"c"', '_x000D_', ' x ', '<&>', 'Ζωή 😀'),
      fc.string({ maxLength: 20, unit: 'grapheme' }),
    )
    // XML has no other control characters, and a line break in a cell becomes a space.
    .filter((one) => !/[\p{Cc}\p{Cn}\u2028\u2029]/u.test(one));
  const table = fc.array(fc.tuple(fc.emailAddress(), text, text), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(table, fc.boolean(), async (rows, isShared) => {
      const encode = (cell: string) => escapeXml(cell.replace(/_x([0-9a-f]{4})_/gi, '_x005F_x$1_'));
      const all = [['email', 'name', 'reference'], ...rows];
      const cell = (value: string, n: number) =>
        isShared ? `<c t="s"><v>${n}</v></c>` : `<c t="inlineStr"><is><t>${encode(value)}</t></is></c>`;
      const sheetData = all.map((cells, r) => `<row>${cells.map((value, c) => cell(value, r * 3 + c)).join('')}</row>`);
      const strings = all.flat().map((value) => `<si><t>${encode(value)}</t></si>`);
      const { rows: found } = await read(
        workbookOf({ sheetData: sheetData.join(''), ...(isShared && { strings: strings.join('') }) }),
      );
      expect(found.map(({ line }) => line)).toEqual(rows.map((_, index) => index + 2));
      for (const [index, [, name, reference]] of rows.entries()) {
        const one = found[index];
        if (one?.ok)
          expect([one.displayName ?? '', one.reference ?? '']).toEqual(
            [name, reference].map((value) => removeGuard(value).trim()),
          );
      }
    }),
    { numRuns: 100 },
  );
});

it('reads any damaged workbook, or refuses it with a DomainError', async () => {
  const good = withHeader(inlineRow(2, ['a@contoso.com', 'Jane', '50', 'x']), {
    strings: '<si><t>x</t></si>',
    styles: '',
  });
  const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(damage, fc.nat(good.length), async (changes, cut) => {
      const bytes = Buffer.from(good);
      for (const [at, value] of changes) if (at >= 4) bytes[at] = value;
      for (const file of [bytes, bytes.subarray(0, Math.max(4, cut))]) {
        await read(file).catch((error: unknown) => {
          if (!(error instanceof DomainError)) throw error;
        });
      }
    }),
    { numRuns: 200 },
  );
});
