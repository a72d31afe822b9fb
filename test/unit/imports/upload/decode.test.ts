import { describe, expect, it } from 'vitest';
import { rowsOf } from '../../../support/upload-bytes.ts';

const csv = 'email,name\njürgen@contoso.com,x\njane@contoso.com,Jürgen 😀 Ζωή\n';
const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16();

describe('decodes the encodings that spreadsheets write', () => {
  it.each([
    ['utf-8', Buffer.from(csv)],
    ['utf-8', Buffer.from(`\ufeff${csv}`)],
    ['utf-16le', Buffer.from(`\ufeff${csv}`, 'utf16le')],
    ['utf-16le', Buffer.from(csv, 'utf16le')],
    ['utf-16be', utf16be(`\ufeff${csv}`)],
    ['utf-16be', utf16be(csv)],
  ])('%s (%#)', async (encoding, bytes) => {
    for (const sizes of [[65_536], [1], [3, 5]]) {
      const { columns, rows } = await rowsOf(bytes, { sizes });
      expect(columns.encoding).toBe(encoding);
      expect(rows[1]).toMatchObject({ line: 3, address: 'jane@contoso.com', displayName: 'Jürgen 😀 Ζωή' });
    }
  });
});

describe('refuses a file that is not text, and says how to fix it', () => {
  it.each([
    ['a ZIP archive', Buffer.from('PK\x03\x04\x14\x00\x06\x00', 'latin1'), /ZIP archive\. Unpack it/],
    ['an old workbook', Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1]), /\(\.xls\), or .*password.*\.xlsx/],
    ['a web page', Buffer.from('\ufeff\n<html><table><tr><td>email</td></tr></table>'), /web page.*\.xls/],
    ['an XML workbook', Buffer.from('<?xml version="1.0"?><Workbook/>'), /XML document/],
    ['a contact', Buffer.from('BEGIN:VCARD\nEMAIL:a@contoso.com\nEND:VCARD\n'), /vCard/],
    ['JSON', Buffer.from('{"mailboxes":[{"address":"a@contoso.com"}]}'), /JSON.*application\/json/],
    ['JSON in UTF-16', Buffer.from('\ufeff[{"address":"a@contoso.com"}]', 'utf16le'), /JSON.*application\/json/],
    ['a PDF', Buffer.from('%PDF-1.7\n'), /PDF/],
    ['gzip', Buffer.from([0x1f, 0x8b, 8, 0]), /gzip/],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), /UTF-32/],
    ['bytes', Buffer.from(Array.from({ length: 2000 }, (_, i) => (i * 89) % 256)), /Windows-1252|not text/],
    ['a zero byte', Buffer.from('email\na@contoso.com\nb\0@contoso.com\n'), /zero byte/],
    ['a zero in UTF-16', Buffer.from('\ufeffemail\na\0@contoso.com\n', 'utf16le'), /zero/],
    ['half a character', Buffer.from('email\nj\xc3\xbc@contoso.com\n\xc3', 'latin1'), /Line 3 .*UTF-8/],
    [
      'a mark and Windows-1252',
      Buffer.from('\xef\xbb\xbfemail,name\na@contoso.com,J\xfcrgen', 'latin1'),
      /Line 2 .*UTF-8/,
    ],
    [
      'Cyrillic',
      Buffer.from('email,name\na@contoso.com,\xc8\xe2\xe0\xed\xee\xe2\n', 'latin1'),
      /Line 2 .*Windows-1252.*"Èâàíîâ"|Line 2 .*Èâàíîâ/,
    ],
    ['Polish', Buffer.from('email,name\n\na@contoso.com,Pawe\xb3\n', 'latin1'), /Line 3 .*Windows-1252.*Pawe³/],
    ['Mac OS Roman', Buffer.from('email,name\ra@contoso.com,Jos\x8e\r', 'latin1'), /Line 2 .*Windows-1252.*JosŽ/],
    ['half a pair', Buffer.from('\ufeffemail\na@contoso.com\n\ud83d', 'utf16le'), /UTF-16/],
    ['an odd byte', Buffer.concat([Buffer.from('\ufeffemail\n', 'utf16le'), Buffer.from('a')]), /UTF-16/],
    ['overlong UTF-8', Buffer.from('email\n\xc0\xaf@contoso.com\n', 'latin1'), /Line 2 .*UTF-8/],
  ])('%s', async (_, bytes, detail) => {
    for (const sizes of [[65_536], [1]]) {
      await expect(rowsOf(bytes, { sizes })).rejects.toMatchObject({
        code: 'file_not_text',
        detail: expect.stringMatching(detail),
      });
    }
  });

  it('names the line of a broken character in a long file', async () => {
    const head = 'email,name\nz@contoso.com,Zoë\n'.concat('a@contoso.com,A\n'.repeat(10_000));
    const bytes = Buffer.concat([Buffer.from(head), Buffer.from('b@contoso.com,J\xfcrgen\n', 'latin1')]);
    await expect(rowsOf(bytes)).rejects.toMatchObject({
      code: 'file_not_text',
      detail: expect.stringMatching(/^Line 10003 .*CSV UTF-8/),
    });
  });
});

describe('reads Windows-1252, which Excel writes as "CSV"', () => {
  const names = ['Jürgen Groß', 'Zoë', 'Renée L’Hôtel', 'Škoda – €', 'ÅÄÖ', 'Mª José'];
  // The characters of Windows-1252 that are not in ISO 8859-1.
  const extension: Record<string, number> = { '€': 0x80, Š: 0x8a, '’': 0x92, '–': 0x96 };
  const encode = (text: string) => Buffer.from([...text].map((one) => extension[one] ?? one.charCodeAt(0)));
  const text = (rowsBefore: number) =>
    `email;name\n${'a@contoso.com;A\n'.repeat(rowsBefore)}${names.map((name) => `b@contoso.com;${name}\n`).join('')}`;

  it.each([
    [0, [65_536]],
    [0, [1]],
    [10_000, [65_536]],
    [200, [511, 1, 2]],
  ])('after %i rows in ASCII, in chunks of %j', async (rowsBefore, sizes) => {
    const { columns, rows } = await rowsOf(encode(text(rowsBefore)), { sizes });
    expect(columns.encoding).toBe('windows-1252');
    expect(rows.slice(rowsBefore)).toEqual(
      names.map((name, index) => ({
        line: rowsBefore + index + 2,
        ok: true,
        address: 'b@contoso.com',
        displayName: name,
      })),
    );
  });

  it('takes a file for UTF-8 as long as it is ASCII', async () => {
    expect((await rowsOf('email\na@contoso.com\n')).columns.encoding).toBe('utf-8');
  });
});
