import { describe, expect, it } from 'vitest';
import { readCsv } from '../../../../shared/imports/upload/read-csv.ts';
import { chunksOf, rowsOf, uploadLimits } from '../../../support/upload-bytes.ts';

const row = (line: number, address: string, more = {}) => ({ line, ok: true, address, ...more });
const rejected = (line: number, code: string) => expect.objectContaining({ line, ok: false, code });

describe('rejects a faulty row alone', () => {
  it.each([
    [',Jane,5,r', 'address_missing'],
    ['jane,Jane,5,r', 'address_malformed'],
    ['jane@hotmail.com,Jane,5,r', 'consumer_domain'],
    [`${'a'.repeat(80)}@contoso.com,Jane,5,r`, 'address_too_long'],
    [`jane@contoso.com,${'J'.repeat(201)},5,r`, 'name_too_long'],
    [`jane@contoso.com,Jane,5,${'r'.repeat(201)}`, 'reference_too_long'],
    ['jane@contoso.com,Jane,0,r', 'daily_limit_invalid'],
    ['jane@contoso.com,Jane,10001,r', 'daily_limit_invalid'],
    ['jane@contoso.com,Jane,-5,r', 'daily_limit_invalid'],
    ['jane@contoso.com,Jane,5.5,r', 'daily_limit_invalid'],
    ['jane@contoso.com,Jane,1e3,r', 'daily_limit_invalid'],
    ['jane@contoso.com,Jane,many,r', 'daily_limit_invalid'],
    ['jane@contoso.com,Jane', 'row_malformed'],
    ['jane@contoso.com,Jane,5,r,extra', 'row_malformed'],
    ['jane@contoso.com,"Jane" Doe,5,r', 'row_malformed'],
    ['"jane@contoso.com"x,Jane,5,r', 'row_malformed'],
    ['jane@contoso.com,"Ja\nne",5,r', 'row_malformed'],
    [`jane@contoso.com,${'J'.repeat(70_000)},5,r`, 'row_too_long'],
    [`jane@contoso.com,"${'J\n'.repeat(40_000)}",5,r`, 'row_too_long'],
  ])('%.60j is rejected as %s, and the rows around it are accepted', async (line, code) => {
    const { rows } = await rowsOf(`email,name,limit,reference\na@contoso.com,,,\n${line}\nb@contoso.com,,,\n`);
    const lines = line.split('\n').length;
    expect(rows).toEqual([row(2, 'a@contoso.com'), rejected(3, code), row(3 + lines, 'b@contoso.com')]);
  });

  it('reports every fault of a row, with what was sent', async () => {
    const { rows } = await rowsOf(`email,name,limit,reference\nnobody,${'J'.repeat(300)},x,r-7\n`);
    expect(rows).toEqual([
      {
        line: 2,
        ok: false,
        address: 'nobody',
        displayName: 'J'.repeat(300),
        dailyLimitAsSent: 'x',
        reference: 'r-7',
        code: 'address_malformed',
        message: expect.stringMatching(/not a valid e-mail address.*name is too long.*daily limit/s),
      },
    ]);
  });

  it('reads limits as programs write whole numbers, and names that stand before an address', async () => {
    const { rows } = await rowsOf(
      'email;name;limit\nJane <a@contoso.com>;;50.0\n"""Doe, Bob"" <b@contoso.com>";Bob;50,00\nc@contoso.com;;1.000\n',
    );
    expect(rows).toEqual([
      row(2, 'a@contoso.com', { displayName: 'Jane', dailyLimit: 50 }),
      row(3, 'b@contoso.com', { displayName: 'Bob', dailyLimit: 50 }),
      rejected(4, 'daily_limit_invalid'),
    ]);
  });

  it('says what to do about a row with too few or too many columns', async () => {
    const { rows } = await rowsOf('email,name\na@contoso.com\nb@contoso.com,Doe,Jane\n');
    expect(rows).toEqual([
      expect.objectContaining({
        line: 2,
        code: 'row_malformed',
        message: expect.stringMatching(/^This row has 1 column, but the header has 2\. Add the missing columns/),
      }),
      expect.objectContaining({
        line: 3,
        code: 'row_malformed',
        message: expect.stringMatching(/^This row has 3 columns, but the header has 2\. .*quotation marks/),
      }),
    ]);
  });

  it('keeps formulas and quotes as text', async () => {
    const { rows } = await rowsOf(
      'email,name,reference\na@contoso.com,=cmd|\'/c calc\'!A0,"+1""x"""\nb@contoso.com,5" J,@x\n',
    );
    expect(rows).toEqual([
      row(2, 'a@contoso.com', { displayName: "=cmd|'/c calc'!A0", reference: '+1"x"' }),
      row(3, 'b@contoso.com', { displayName: '5" J', reference: '@x' }),
    ]);
  });

  it('accepts line breaks in ignored columns', async () => {
    const { rows } = await rowsOf('notes,email\r\n"one\r\ntwo",a@contoso.com\r\nx,b@contoso.com\r\n');
    expect(rows).toEqual([row(2, 'a@contoso.com'), row(4, 'b@contoso.com')]);
  });

  it('counts lines inside quotes, for every kind of line end', async () => {
    const { rows } = await rowsOf('notes,email\n"a\rb\nc\r\nd\n\re",a@contoso.com\nx,b@contoso.com\n');
    expect(rows).toEqual([row(2, 'a@contoso.com'), row(8, 'b@contoso.com')]);
  });

  it('accepts spaces around quotes', async () => {
    const { rows } = await rowsOf('email, name\na@contoso.com , "Doe, Jane" \n');
    expect(rows).toEqual([row(2, 'a@contoso.com', { displayName: 'Doe, Jane' })]);
  });

  it('accepts empty cells after the last column, which spreadsheets leave behind', async () => {
    expect((await rowsOf('email,name\na@contoso.com,Jane,,\n')).rows).toEqual([
      row(2, 'a@contoso.com', { displayName: 'Jane' }),
    ]);
  });
});

describe('skips blank lines, and counts them', () => {
  it('before, between and after the rows', async () => {
    const { rows } = await rowsOf('\n  \nemail,name\n\na@contoso.com,A\n,\n" ",\nb@contoso.com,B\n\n \n,,,\n\n');
    expect(rows.map(({ line }) => line)).toEqual([5, 8]);
  });

  it.each(['\n', '\r\n', '\r'])('with the line end %j', async (eol) => {
    const { rows } = await rowsOf(['email,name', 'a@contoso.com,A', '', 'b@contoso.com,B'].join(eol));
    expect(rows.map(({ line }) => line)).toEqual([2, 4]);
  });
});

describe('refuses a faulty file', () => {
  it.each([
    ['no bytes', ''],
    ['a byte order mark', '\ufeff'],
    ['blank lines', '\n \r\n\t\n'],
    ['a header', 'email,name'],
    ['a header and blank lines', 'email,name\n\n,\n'],
    ['a separator line', 'sep=;\n'],
  ])('file_empty: a file with %s only', async (_, csv) => {
    await expect(rowsOf(csv)).rejects.toMatchObject({ code: 'file_empty' });
  });

  it.each([
    ['at the end', 'email,name\na@contoso.com,A\nb@contoso.com,"B\n', 3],
    ['before other quoted rows', 'email,name\na@contoso.com,"A\n"b@contoso.com","B"\n"c@contoso.com","C"\n', 2],
    ['in a record of several lines', 'notes,email\n"one\ntwo",a@contoso.com\n"x\ny","z@contoso.com\n', 5],
    ['before a long text', `email,name\na@contoso.com,"A\n${'b@contoso.com,B\n'.repeat(20_000)}`, 2],
    ['in the header', 'email,"name\na@contoso.com,A\n', 1],
  ])('file_malformed with the line where the quote was opened: %s', async (_, csv, line) => {
    await expect(rowsOf(csv)).rejects.toMatchObject({
      code: 'file_malformed',
      detail: expect.stringContaining(`line ${line} `),
      members: { line },
    });
  });

  it('payload_too_large: one byte or one row above the limit', async () => {
    const csv = 'email\na@contoso.com\nb@contoso.com\n';
    expect((await rowsOf(csv, { maxBytes: csv.length, maxRows: 2 })).rows).toHaveLength(2);
    await expect(rowsOf(csv, { maxBytes: csv.length - 1 })).rejects.toMatchObject({ code: 'payload_too_large' });
    await expect(rowsOf(csv, { maxRows: 1 })).rejects.toMatchObject({ code: 'payload_too_large' });
  });

  it('file_malformed: a header longer than a record may be', async () => {
    await expect(rowsOf('email,'.repeat(100_000))).rejects.toMatchObject({ code: 'file_malformed' });
  });
});

describe('never holds a whole file in memory', () => {
  it('stops reading an endless record at the limit', async () => {
    let sent = 0;
    async function* endless() {
      yield Buffer.from('email,name\na@contoso.com,"');
      const chunk = Buffer.alloc(65_536, 'x');
      for (; sent < 64 * 1024 * 1024; sent += chunk.length) yield chunk;
    }
    const before = process.memoryUsage().arrayBuffers;
    const upload = await readCsv(endless(), uploadLimits);
    const rows = upload.rows[Symbol.asyncIterator]();
    await expect(rows.next()).rejects.toMatchObject({ code: 'file_malformed' });
    // 64 times the limit for a record. No value is that long, so the mark is missing.
    expect(sent).toBeLessThan(65 * 65_536);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
  });

  it('does not take many quoted values for one long value', async () => {
    const line = `"a@contoso.com","${'J'.repeat(50)}"\n`;
    const { rows } = await rowsOf(`"email","name"\n${line.repeat(1_000)}`, { recordMaxBytes: 100, sizes: [40] });
    expect(rows.filter(({ ok }) => ok)).toHaveLength(1_000);
  });

  it('reads more of the file only when rows are consumed', async () => {
    let sent = 0;
    async function* file() {
      yield Buffer.from('email\n');
      for (; sent < 1000; sent++) yield Buffer.from(`user${sent}@contoso.com\n`);
    }
    const upload = await readCsv(file(), uploadLimits);
    const rows = upload.rows[Symbol.asyncIterator]();
    await rows.next();
    expect(sent).toBeLessThan(100);
  });

  it('closes its source if the file is refused or the reader stops', async () => {
    let released = 0;
    async function* source(text: string) {
      try {
        for (;;) yield Buffer.from(text);
      } finally {
        released++;
      }
    }
    await expect(readCsv(source('first,last\n'), uploadLimits)).rejects.toMatchObject({
      code: 'file_no_address_column',
    });
    expect(released).toBe(1);
    for await (const _ of (await readCsv(source('email\na@contoso.com\n'), uploadLimits)).rows) break;
    expect(released).toBe(2);
  });

  it('rejects with the error of a source that fails', async () => {
    async function* source() {
      yield* chunksOf(`email\n${'a@contoso.com\n'.repeat(100)}`);
      throw new Error('the sender disconnected');
    }
    const { rows } = await readCsv(source(), uploadLimits);
    await expect(Array.fromAsync(rows)).rejects.toThrow('the sender disconnected');
  });
});
