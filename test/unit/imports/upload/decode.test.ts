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
    ['a workbook', Buffer.from('PK\x03\x04\x14\x00\x06\x00', 'latin1'), /Excel workbook.*Save as/],
    ['an old workbook', Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1]), /Excel workbook/],
    ['a PDF', Buffer.from('%PDF-1.7\n'), /PDF/],
    ['gzip', Buffer.from([0x1f, 0x8b, 8, 0]), /gzip/],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), /UTF-32/],
    ['bytes', Buffer.from(Array.from({ length: 2000 }, (_, i) => (i * 89) % 256)), /UTF-8|not text/],
    ['a zero byte', Buffer.from('email\na@contoso.com\nb\0@contoso.com\n'), /zero byte/],
    ['a zero in UTF-16', Buffer.from('\ufeffemail\na\0@contoso.com\n', 'utf16le'), /zero/],
    ['half a character', Buffer.from('email\na@contoso.com\n\xc3', 'latin1'), /Line 3 .*UTF-8/],
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

  it('reports the line of a name in Windows-1252, which Excel writes by default', async () => {
    const head = 'email,name\n'.concat('a@contoso.com,A\n'.repeat(10_000));
    const bytes = Buffer.from(`${head}b@contoso.com,J\xfcrgen\n`, 'latin1');
    await expect(rowsOf(bytes)).rejects.toMatchObject({
      code: 'file_not_text',
      detail: expect.stringMatching(/^Line 10002 .*CSV UTF-8/),
    });
  });
});
