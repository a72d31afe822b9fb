import { describe, expect, it } from 'vitest';
import { headerAliases } from '../../../../shared/imports/upload/header-names.ts';
import { parseHeader } from '../../../../shared/imports/upload/parse-header.ts';
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
    ['sep=|\nemail|name\njane@contoso.com|Jane', '|'],
    ['sep=\t\nemail\tname\njane@contoso.com\tJane', '\t'],
  ])('uses the separator from Excel’s first line: %j', async (csv, delimiter) => {
    const { columns, rows } = await rowsOf(csv);
    expect(columns.delimiter).toBe(delimiter);
    expect(rows).toEqual([{ line: 3, ok: true, address: 'jane@contoso.com', displayName: 'Jane' }]);
  });

  it('refuses an unsupported separator', async () => {
    await expect(rowsOf('sep=^\nemail^name\n')).rejects.toMatchObject({
      code: 'file_malformed',
      detail: expect.stringContaining('"^"'),
    });
  });

  it('refuses a file without an address column, and lists the columns found and the accepted names', async () => {
    await expect(rowsOf('first,last\nJane,Doe\n')).rejects.toMatchObject({
      code: 'file_no_address_column',
      detail: expect.stringMatching(/"first", "last".*email_address/),
    });
  });

  it.each([
    ['jane@contoso.com,Jane\nbob@contoso.com,Bob\n', 'contains the address "jane@contoso.com" instead of column names'],
    ['jane@contoso.com; bob@contoso.com; x@contoso.com', 'contains 3 addresses. Put each address on a line of its own'],
  ])('says what is wrong with a first line of addresses: %j', async (csv, detail) => {
    await expect(rowsOf(csv)).rejects.toMatchObject({
      code: 'file_no_address_column',
      detail: expect.stringContaining(detail),
    });
  });

  it('reports at most a hundred ignored columns', async () => {
    const { columns } = await rowsOf(`email${',x'.repeat(5000)}\nj@contoso.com${','.repeat(5000)}\n`);
    expect(columns.ignored).toHaveLength(100);
  });
});

describe('a list of addresses without a header', () => {
  const row = (line: number, address: string, more = {}) => ({ line, ok: true, address, ...more });

  it.each([
    ['one column', 'jane@contoso.com\r\nbob@contoso.com\r\n', 'column 1'],
    ['a blank line first', '\njane@contoso.com\nbob@contoso.com', 'column 1'],
    ['a separator at each end', 'jane@contoso.com;\nbob@contoso.com;\n', 'column 1'],
    ['empty cells around', ',jane@contoso.com,\n,bob@contoso.com,\n', 'column 2'],
    ['quoted', '"jane@contoso.com"\n"bob@contoso.com"\n', 'column 1'],
    ['mailto:', 'mailto:jane@contoso.com\nmailto:bob@contoso.com\n', 'column 1'],
  ])('%s', async (_, text, address) => {
    const { columns, rows } = await rowsOf(text);
    expect(columns).toMatchObject({ used: { address }, ignored: [], hasHeader: false });
    expect(rows.map((one) => one.address)).toEqual(['jane@contoso.com', 'bob@contoso.com']);
    expect(rows[0]?.line).toBe(text.startsWith('\n') ? 2 : 1);
  });

  it('reads names, which may contain the separator', async () => {
    const { rows } = await rowsOf('Doe, Jane <jane@contoso.com>\nBob <bob@contoso.com>;\nx@contoso.com\n');
    expect(rows).toEqual([
      row(1, 'jane@contoso.com', { displayName: 'Doe, Jane' }),
      row(2, 'bob@contoso.com', { displayName: 'Bob' }),
      row(3, 'x@contoso.com'),
    ]);
  });

  it('counts the first line as a row, also for the limit and when reading goes on after it', async () => {
    const list = 'a@contoso.com\nb@contoso.com\n';
    await expect(rowsOf(list, { maxRows: 1 })).rejects.toMatchObject({ code: 'payload_too_large' });
    expect((await rowsOf(list, { afterLine: 1 })).rows).toEqual([row(2, 'b@contoso.com')]);
    expect((await rowsOf('a@contoso.com')).rows).toEqual([row(1, 'a@contoso.com')]);
  });

  it('begins even with a faulty address, which is a finding of its row', async () => {
    const { rows } = await rowsOf('jane@contoso\nbob@contoso.com\n');
    expect(rows).toMatchObject([{ line: 1, ok: false, code: 'address_malformed' }, row(2, 'bob@contoso.com')]);
  });
});

describe('skips the line that Windows PowerShell writes above the header', () => {
  it.each(['#TYPE Selected.System.Management.Automation.PSCustomObject\r\n', '"#TYPE X"\n'])('%j', async (first) => {
    const { rows } = await rowsOf(`${first}"PrimarySmtpAddress"\r\n"jane@contoso.com"\r\n`);
    expect(rows).toEqual([{ line: 3, ok: true, address: 'jane@contoso.com' }]);
  });
});

describe('puts a name together that is in two columns', () => {
  it.each([
    ['First Name,Last Name,Email', 'Jane,Doe,jane@contoso.com', 'First Name + Last Name', 'Jane Doe'],
    ['Email,Nachname,Vorname', 'jane@contoso.com,Doe,Jane', 'Vorname + Nachname', 'Jane Doe'],
    ['Email,Name,Vorname', 'jane@contoso.com,Doe,Jane', 'Vorname + Name', 'Jane Doe'],
    ['Nombre,Apellidos,Email', 'Jane,Doe,jane@contoso.com', 'Nombre + Apellidos', 'Jane Doe'],
    ['Nombre,Email', 'Jane Doe,jane@contoso.com', 'Nombre', 'Jane Doe'],
    ['Name,Given Name,Family Name,E-mail 1 - Value', 'J. Doe,Jane,Doe,jane@contoso.com', 'Name', 'J. Doe'],
    ['First Name,Last Name,Display name,Email', 'Jane,Doe,J. Doe,jane@contoso.com', 'Display name', 'J. Doe'],
    ['First Name,Last Name,Email', ',Doe,jane@contoso.com', 'First Name + Last Name', 'Doe'],
  ])('%s', async (header, line, used, displayName) => {
    const { columns, rows } = await rowsOf(`${header}\n${line}\n`);
    expect(columns.used.displayName).toBe(used);
    expect(rows).toMatchObject([{ ok: true, address: 'jane@contoso.com', displayName }]);
  });
});

it('understands every alias in the table, with capitals, accents, punctuation and remarks in brackets', () => {
  const fieldOf = { givenName: 'displayName', familyName: 'displayName' } as Record<string, string>;
  for (const [kind, aliases] of Object.entries(headerAliases)) {
    const field = fieldOf[kind] ?? kind;
    for (const alias of aliases) {
      const { used } = parseHeader(field === 'address' ? [alias] : ['email', alias]);
      expect(used, alias).toEqual(field === 'address' ? { address: alias } : { address: 'email', [field]: alias });
    }
  }
  expect(parseHeader(['E-Mail Address [Required]', 'Tägliches Limit', 'Prénom*']).used).toEqual({
    address: 'E-Mail Address [Required]',
    dailyLimit: 'Tägliches Limit',
    displayName: 'Prénom*',
  });
});
