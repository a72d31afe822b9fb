import { describe, expect, it } from 'vitest';
import { headerAliases, parseHeader } from '../../../../shared/imports/upload/parse-header.ts';
import { rowsOf } from '../../../support/upload-bytes.ts';

describe('finds the columns by their headers', () => {
  it.each([
    'email_address',
    'Email Address',
    'E-Mail',
    'email',
    'ADDRESS',
    'mailbox',
    'mail',
    'PrimarySmtpAddress',
    'UserPrincipalName',
    'User principal name',
    'SMTP Address',
    'E-Mail-Adresse',
  ])('reads the address from the column %j', async (header) => {
    const { columns, rows } = await rowsOf(`${header}\njane@contoso.com\n`);
    expect(columns.used).toEqual({ address: header });
    expect(rows).toEqual([{ line: 2, ok: true, address: 'jane@contoso.com' }]);
  });

  it('prefers the primary SMTP address, and reports the ignored columns', async () => {
    const { columns, rows } = await rowsOf(
      'Name,UserPrincipalName,EmailAddress,PrimarySmtpAddress,DisplayName,Database\nj,u@c.com,e@c.com,p@c.com,Jane,DB1\n',
    );
    expect(columns.used).toEqual({ address: 'PrimarySmtpAddress', displayName: 'DisplayName' });
    expect(columns.ignored).toEqual(['Name', 'UserPrincipalName', 'EmailAddress', 'Database']);
    expect(rows[0]).toMatchObject({ address: 'p@c.com', displayName: 'Jane' });
  });

  it('reads all four fields in any order', async () => {
    const { rows } = await rowsOf('Reference;Daily Limit;display name;eMail\r\nr-1;50;Jane;jane@contoso.com');
    expect(rows).toEqual([
      { line: 2, ok: true, address: 'jane@contoso.com', displayName: 'Jane', dailyLimit: 50, reference: 'r-1' },
    ]);
  });

  it('chooses the delimiter that produces known headers, not the most frequent one', async () => {
    const { columns } = await rowsOf('email;"name, first, last"\njane@contoso.com;Jane\n');
    expect(columns).toMatchObject({ delimiter: ';', ignored: ['name, first, last'] });
  });

  it.each([
    ['sep=;\nemail;name\njane@contoso.com;Jane', ';'],
    ['"sep=,"\r\nemail,name\r\njane@contoso.com,Jane', ','],
    ['sep=\t\nemail\tname\njane@contoso.com\tJane', '\t'],
  ])('uses the separator from Excel’s first line: %j', async (csv, delimiter) => {
    const { columns, rows } = await rowsOf(csv);
    expect(columns.delimiter).toBe(delimiter);
    expect(rows).toEqual([{ line: 3, ok: true, address: 'jane@contoso.com', displayName: 'Jane' }]);
  });

  it('refuses an unsupported separator', async () => {
    await expect(rowsOf('sep=|\nemail|name\n')).rejects.toMatchObject({
      code: 'file_malformed',
      detail: expect.stringContaining('"|"'),
    });
  });

  it('refuses a file without an address column, and lists the columns found and the accepted names', async () => {
    await expect(rowsOf('first,last\nJane,Doe\n')).rejects.toMatchObject({
      code: 'file_no_address_column',
      detail: expect.stringMatching(/"first", "last".*email_address/),
    });
  });

  it('distinguishes a missing header from a wrong one', async () => {
    await expect(rowsOf('jane@contoso.com,Jane\nbob@contoso.com,Bob\n')).rejects.toMatchObject({
      code: 'file_no_address_column',
      detail: expect.stringContaining('contains an e-mail address instead of column names'),
    });
  });

  it('reports at most a hundred ignored columns', async () => {
    const { columns } = await rowsOf(`email${',x'.repeat(5000)}\nj@contoso.com${','.repeat(5000)}\n`);
    expect(columns.ignored).toHaveLength(100);
  });
});

it('understands every alias in the table, and each for one field only', () => {
  for (const [field, aliases] of Object.entries(headerAliases)) {
    for (const alias of aliases) {
      const { used } = parseHeader(field === 'address' ? [alias] : ['email', alias]);
      expect(used, alias).toEqual(field === 'address' ? { address: alias } : { address: 'email', [field]: alias });
    }
  }
});
