import { beforeEach, describe, expect, it } from 'vitest';
import type { Row } from '../../shared/imports/ledger/row.ts';
import { createApi } from '../support/api.ts';
import { parsePowerShell } from '../support/powershell.ts';
import { aConnection, anImport, aRow } from '../support/records.ts';

let api: ReturnType<typeof createApi>;
let key: string;
let customerId: string;

beforeEach(async () => {
  api = createApi();
  ({ key, id: customerId } = await api.customer({ role: 'viewer' }));
  await api.deps.connections.insert(aConnection({ customerId, name: 'Contoso’s "$(mail)"' }));
});

const get = async (path: string) => {
  const answer = await api.request('GET', path, { key });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
};
const ofConnection = (query: string) => get(`/v1/connections/conn_1/setup-script?${query}`);

const hasImport = async (rows: readonly Partial<Row>[], connectionId = 'conn_1') => {
  await api.deps.imports.insert(anImport({ customerId, connectionId, status: 'completed' }));
  for (let from = 0; from < rows.length; from += 50) {
    const changes = rows.slice(from, from + 50).map((row) => ({ op: 'createRow' as const, row: aRow(row) }));
    await api.deps.ledger.commit('conn_1', changes);
  }
};

describe('GET /v1/connections/{connectionId}/setup-script', () => {
  it.each(['graph', 'graph-scoped', 'imap', 'smtp'])(
    '200: gives a viewer the script for %s, as a file that is PowerShell, and its undo script',
    async (access) => {
      const made = await ofConnection(`access=${access}`);
      expect(made.status).toBe(200);
      expect(made.headers.get('content-type')).toBe('text/plain; charset=utf-8');
      expect(made.headers.get('content-disposition')).toBe(`attachment; filename="muster-${access}-conn_1.ps1"`);
      expect(parsePowerShell(made.text).faults).toEqual([]);
      const undone = await ofConnection(`access=${access}&undo=true`);
      expect(undone.headers.get('content-disposition')).toContain(`muster-${access}-conn_1-undo.ps1`);
      expect(undone.text).not.toBe(made.text);
    },
  );

  it('200: names the tenant, the app and the group, and no secret', async () => {
    const { text } = await ofConnection('access=graph-scoped&group=o%27neil%40contoso.com');
    const { tenantId, clientId } = aConnection();
    expect(text).toContain(`$TenantId = '${tenantId}'`);
    expect(text).toContain(`$ClientId = '${clientId}'`);
    expect(text).toContain("[string] $ScopeGroup = [regex]::Unescape('o''neil@contoso.com')");
    expect(text).toContain('$ConnectionName = [regex]::Unescape(\'Contoso\\u2019s "$(mail)"\')');
  });

  it('200: changes nothing: the script is the same twice, and so is the connection', async () => {
    const before = await api.deps.connections.get(customerId, 'conn_1');
    const [first, second] = [await ofConnection('access=imap'), await ofConnection('access=imap')];
    expect(second.text).toBe(first.text);
    expect(await api.deps.connections.get(customerId, 'conn_1')).toEqual(before);
  });

  it('200: lists the mailboxes of an import that failed for a reason that the script fixes', async () => {
    await hasImport([
      { line: 2, address: 'off@contoso.com', state: 'failed', cause: 'imap_disabled' },
      { line: 3, address: 'fine@contoso.com', state: 'passed' },
      { line: 4, address: 'gone@contoso.com', state: 'failed', cause: 'mailbox_not_found' },
      { line: 5, address: "o'neil@contoso.com", state: 'failed', cause: 'imap_access_missing' },
    ]);
    const { text, headers } = await ofConnection('access=imap&importId=imp_1');
    expect(text).toContain("'off@contoso.com',\n    'o''neil@contoso.com'\n");
    expect(text).not.toContain('fine@contoso.com');
    expect(text).not.toContain('gone@contoso.com');
    expect(headers.get('muster-next-line')).toBeNull();
  });

  it('200: pages through an import of which 2,500 rows failed, without losing or repeating one', async () => {
    const addresses = Array.from({ length: 2_500 }, (_, index) => `m${index}@contoso.com`);
    await hasImport(
      addresses.map((address, index) => ({ line: index + 2, address, state: 'failed', cause: 'imap_disabled' })),
    );
    const seen: string[] = [];
    let scripts = 0;
    for (let from: string | null = '0'; from !== null; scripts++) {
      const { text, headers } = await ofConnection(`access=imap&importId=imp_1&fromLine=${from}`);
      seen.push(...[...text.matchAll(/^ {4}'(m\d+@contoso\.com)'/gm)].map(([, address = '']) => address));
      from = headers.get('muster-next-line');
      expect(text.includes(`$NextLine = '${from ?? ''}'`)).toBe(true);
    }
    expect(seen).toEqual(addresses);
    expect(scripts).toBe(3);
  });

  it('200: reads at most 5,000 failed rows at a time, and says where to go on', async () => {
    await hasImport(
      Array.from({ length: 5_100 }, (_, index) => ({ line: index + 2, state: 'failed', cause: 'mailbox_not_found' })),
    );
    const { text, headers } = await ofConnection('access=smtp&importId=imp_1');
    expect(text).toContain('[string[]] $Mailbox = @()');
    expect(headers.get('muster-next-line')).toBe('5002');
  });

  it('200: adds the mailboxes that were out of scope to the group', async () => {
    await hasImport([
      { line: 2, address: 'out@contoso.com', state: 'failed', cause: 'mailbox_out_of_scope' },
      { line: 3, address: 'gone@contoso.com', state: 'failed', cause: 'mailbox_not_found' },
    ]);
    const { text } = await ofConnection('access=graph-scoped&importId=imp_1');
    expect(text).toContain("[string[]] $Mailbox = @(\n    'out@contoso.com'\n)");
    expect(text).toContain('Add-DistributionGroupMember');
  });

  it.each([
    ['', 'access'],
    ['access=pop', 'access'],
    ['access=graph&method=rbac', 'method'],
    ['access=imap&method=rbac', 'method'],
    ['access=smtp&method=accessPolicy', 'method'],
    ['access=graph&group=a%40contoso.com', 'group'],
    ['access=smtp&method=mailboxPermission&group=a%40contoso.com', 'group'],
    ['access=graph-scoped&group=a%0Ab', 'group'],
    ['access=graph-scoped&group=a%E2%80%AEb', 'group'],
    ['access=graph&importId=imp_1', 'importId'],
    ['access=imap&fromLine=5', 'fromLine'],
    ['access=imap&importId=imp_1&fromLine=-1', 'fromLine'],
    ['access=graph&other=1', 'other'],
  ])('400: refuses ?%s and names %s', async (query, field) => {
    const { status, text } = await ofConnection(query);
    expect(status).toBe(400);
    expect(JSON.parse(text).errors.map(({ path }: { path: string }) => path)).toContain(field);
  });

  it('404: for another customer’s connection, an unknown import and an import of another connection', async () => {
    await hasImport([], 'conn_2');
    expect((await ofConnection('access=imap&importId=imp_1')).status).toBe(404);
    expect((await ofConnection('access=imap&importId=imp_none')).status).toBe(404);
    const { key: other } = await api.customer();
    const answer = await api.request('GET', '/v1/connections/conn_1/setup-script?access=graph', { key: other });
    expect(answer.status).toBe(404);
  });
});

describe('GET /v1/setup-script', () => {
  it('200: registers an app with our redirect URI, and has an undo script', async () => {
    const { status, text, headers } = await get('/v1/setup-script?tenant=contoso.com&cloud=usgov&appName=Mail%20check');
    expect(status).toBe(200);
    expect(headers.get('content-disposition')).toBe('attachment; filename="muster-register-app.ps1"');
    expect(parsePowerShell(text).faults).toEqual([]);
    expect(text).toContain("[string] $Tenant = [regex]::Unescape('contoso.com')");
    expect(text).toContain(`$RedirectUri = [regex]::Unescape('${api.deps.publicUrl}/v1/consent/callback')`);
    expect(text).toContain("$GraphEnvironment = 'USGov'");
    const undone = await get('/v1/setup-script?undo=true');
    expect(undone.text).toContain('Remove-MgApplication');
    expect(undone.text).toContain('[Parameter(Mandatory = $true)] [string] $Tenant');
  });

  it('200: asks Entra for no permission where RBAC for Applications grants the access', async () => {
    expect((await get('/v1/setup-script?access=graph-scoped')).text).toContain("$Permissions = ''");
    expect((await get('/v1/setup-script?access=graph-scoped&method=accessPolicy')).text).toContain(
      "$Permissions = 'Mail.ReadWrite Mail.Send'",
    );
  });

  it.each([['tenant=outlook.com'], ['cloud=mars'], ['access=graph&method=rbac'], ['appName=a%00b']])(
    '400: refuses ?%s',
    async (query) => {
      expect((await get(`/v1/setup-script?${query}`)).status).toBe(400);
    },
  );
});
