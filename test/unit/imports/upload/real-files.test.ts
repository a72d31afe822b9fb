import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openFile } from '../../../../shared/imports/upload/open-file.ts';
import type { ParsedRow } from '../../../../shared/imports/upload/parsed-row.ts';
import { describeColumns, readUpload } from '../../../../shared/imports/upload/read-upload.ts';
import { createWorkbookReader } from '../../../../shared/imports/upload/xlsx/read-workbook.ts';
import { type ExpectedRow, type ReadFile, readFiles } from '../../../support/read-files.ts';
import { chunksOf, uploadLimits } from '../../../support/upload-bytes.ts';

// Small copies of the files that people send. test/support/read-files.ts has those that are read. test/fixtures/files/README.md says where each of them comes from.

const refused: Record<string, [code: string, detail: string]> = {
  'contacts.vcf': ['file_not_text', 'The file is a contact card (vCard). Export the addresses as CSV instead.'],
  'cyrillic-1251.csv': [
    'file_not_text',
    'Line 2 of the file is neither in UTF-8 nor in Windows-1252. Read as Windows-1252, it contains "so.com;Èâàí Èâàíîâ". In Excel, choose "Save as" and then "CSV UTF-8 (comma delimited)".',
  ],
  'empty.csv': [
    'file_empty',
    'The file is empty. Add a header, such as "email_address,display_name,daily_limit", and one line for each mailbox.',
  ],
  'empty.xlsx': [
    'file_empty',
    'The sheet "Sheet" is empty. Muster reads the first visible sheet of a workbook. Move the sheet with the mailboxes to the front.',
  ],
  'excel-97.xls': [
    'file_not_text',
    'The file is an Excel workbook in the old format (.xls), or one that is protected with a password. In Excel, remove the password, and save it as "Excel workbook (.xlsx)" or "CSV UTF-8 (comma delimited)".',
  ],
  'excel-mac-roman.csv': [
    'file_not_text',
    'Line 2 of the file is neither in UTF-8 nor in Windows-1252. Read as Windows-1252, it contains "ntoso.com;JosŽ MŸller". In Excel, choose "Save as" and then "CSV UTF-8 (comma delimited)".',
  ],
  'excel-pl.csv': [
    'file_not_text',
    'Line 2 of the file is neither in UTF-8 nor in Windows-1252. Read as Windows-1252, it contains "toso.com;Pawe³ ¯ak". In Excel, choose "Save as" and then "CSV UTF-8 (comma delimited)".',
  ],
  'header-only.csv': ['file_empty', 'The file has a header, but no mailboxes. Add one line for each mailbox.'],
  'json.csv': [
    'file_not_text',
    'The file is JSON. Send JSON with the header "Content-Type: application/json", in the form {"mailboxes": [{"address": "…"}]}.',
  ],
  'libreoffice.ods': [
    'file_not_text',
    'The file is an OpenDocument spreadsheet (.ods). In LibreOffice, save it as .xlsx or CSV.',
  ],
  'mixed-encodings.csv': [
    'file_not_text',
    'Line 3 of the file is not in UTF-8, but the text before it is. In Excel, choose "Save as" and then "CSV UTF-8 (comma delimited)".',
  ],
  'no-address-column.csv': [
    'file_no_address_column',
    'The file has no address column. Its header has these columns: "First", "Last", "Phone". Name the column with the addresses email_address. Muster also accepts email, address, mail, mailbox, PrimarySmtpAddress and UserPrincipalName.',
  ],
  'numbers.numbers': [
    'file_not_text',
    'The file is a document of Apple Numbers or Pages. In Numbers, choose "File", "Export To", "CSV".',
  ],
  'outlook-to-line.txt': [
    'file_no_address_column',
    'The first line contains 3 addresses. Put each address on a line of its own.',
  ],
  'two-columns-without-header.csv': [
    'file_no_address_column',
    'The first line contains the address "jane.doe@contoso.com" instead of column names. Add a header above it, such as "email_address,display_name,daily_limit".',
  ],
  'unclosed-quote.csv': [
    'file_malformed',
    'The quoted value that starts on line 3 is not closed correctly. Add the missing quotation mark. Inside a quoted value, write each quotation mark twice ("").',
  ],
  'web-page.xls': [
    'file_not_text',
    'The file is a web page. Some programs save one under the name .xls. Open it in Excel, and save it as "Excel workbook (.xlsx)".',
  ],
  'zip-renamed.csv': [
    'file_not_text',
    'The file is a ZIP archive, not a CSV or an Excel workbook. It contains "mailboxes.csv". Unpack it, and upload the file in it.',
  ],
};

const folder = 'test/fixtures/files';
const fields = ['address', 'displayName', 'dailyLimit', 'reference'] as const;
const readWorkbook = createWorkbookReader({
  ...uploadLimits,
  workbookMaxBytes: 25_000_000,
  unpackedMaxBytes: 400_000_000,
});

function toExpected(row: ParsedRow): ExpectedRow {
  if (!row.ok) return [row.line, row.code];
  const values: ExpectedRow = [row.line, row.address, row.displayName, row.dailyLimit, row.reference];
  while (values.at(-1) === undefined) values.pop();
  return values;
}

async function readFile(name: string, sizes: readonly number[]): Promise<ReadFile> {
  const opened = await openFile(chunksOf(readFileSync(`${folder}/${name}`), sizes), readWorkbook);
  const upload = await readUpload(opened.type, opened.bytes, uploadLimits);
  const rows = await Array.fromAsync(upload.rows);
  const columns = describeColumns(upload.columns, opened);
  const how = columns.sheet === undefined ? `${columns.encoding} ${columns.delimiter}` : `sheet ${columns.sheet}`;
  const used = fields.flatMap((field) => columns.used[field] ?? []).join(' | ');
  return [how, used, rows.map(toExpected)];
}

it('has a table of every file', () => {
  const files = readdirSync(folder).filter((name) => !/^(README\.md|\.gitattributes)$/.test(name));
  expect([...Object.keys(readFiles), ...Object.keys(refused)].sort()).toEqual(files.sort());
  expect(files.length).toBeGreaterThan(40);
});

it.each(Object.entries(readFiles))('reads %s', async (name, expected) => {
  for (const sizes of [[65_536], [7, 1]]) expect(await readFile(name, sizes)).toEqual(expected);
});

it.each(Object.entries(refused))('refuses %s, and says what to do', async (name, [code, detail]) => {
  for (const sizes of [[65_536], [7, 1]]) await expect(readFile(name, sizes)).rejects.toMatchObject({ code, detail });
});
