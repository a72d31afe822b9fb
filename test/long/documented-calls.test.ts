import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { contoso, sampleScenario, vendorAppSettings } from '../../local/sample-scenario.ts';
import type { ApiAnswer } from '../support/api-client.ts';
import { useRunningStack } from '../support/running-stack.ts';
import { callsOf, runInBash, shellBlock } from '../support/shell-calls.ts';

// What people are told to type, typed.

const running = useRunningStack(sampleScenario(), { settings: vendorAppSettings });

interface Call {
  title: string;
  method: string;
  target: string;
  headers: Record<string, string>;
  body: string;
}

/** What an admin does with a certificate in Entra. */
async function addToApp(publicKeyPem: string): Promise<void> {
  const path = `/_simulator/tenants/${contoso.tenantId}`;
  const found = await running.simulator<{ apps: { certificates: object[] }[] }>('GET', path);
  const thumbprint = new X509Certificate(publicKeyPem).fingerprint.replaceAll(':', '');
  for (const app of found.apps) app.certificates.push({ thumbprint, publicKeyPem });
  await running.simulator('PUT', path, found);
}

/** The calls of `requests.http`, in their order. */
function readCalls(): Call[] {
  const [, ...sections] = readFileSync('requests.http', 'utf8').split(/^### /m);
  return sections.map((section) => {
    const [title = '', request = '', ...rest] = section.split('\n');
    const [method = '', target = ''] = request.split(' ');
    const blank = rest.indexOf('');
    const headers = rest.slice(0, blank).map((line) => line.split(/: (.*)/).slice(0, 2) as [string, string]);
    return { title, method, target, headers: Object.fromEntries(headers), body: rest.slice(blank).join('\n').trim() };
  });
}

interface AuditRecord {
  id: string;
  action: string;
  result: string;
  status: number;
  requestId: string;
}

/** The newest records. No call leaves as many as these. */
const readAudit = async () =>
  (await running.operator.expect<{ items: AuditRecord[] }>(200, 'GET', '/v1/audit?limit=20')).items;

it('every change in requests.http, sent from top to bottom, leaves exactly one audit record, and nothing else does', async () => {
  const { apiUrl, operatorKey } = running.stack.local();
  const variables: Record<string, string> = { api: apiUrl, operatorKey, tenant: contoso.tenantId };
  const fill = (text: string) =>
    text
      .replace(/\{\{(\w+)\}\}/g, (_, name: string) => variables[name] ?? `no ${name}`)
      .replace('key_…', () => variables.spareKey ?? 'no key');

  /** What a user copies from an answer into the variables. */
  async function keep({ title }: Call, { body, text }: ApiAnswer): Promise<void> {
    if (title.startsWith('Download its public part')) await addToApp(text);
    const { id = '', key = '', url = '', uploadId = '' } = body as Record<string, string>;
    if (title.startsWith('Preview')) variables.upload = uploadId;
    if (title.startsWith('Create a customer')) variables.customer = id;
    if (title.startsWith('Create an API key')) {
      variables.key = key;
      const path = `/v1/customers/${variables.customer}/api-keys`;
      const spare = await running.operator.expect<{ id: string }>(201, 'POST', path, {
        body: { name: 'b', role: 'viewer' },
      });
      variables.spareKey = spare.id;
    }
    if (title.startsWith('Register')) variables.connection = id;
    if (title.startsWith('Get a consent link')) variables.state = new URL(url).searchParams.get('state') ?? '';
    if (title.startsWith('Subscribe')) variables.webhook = id;
    if (title.startsWith('Send a test e-mail')) variables.email = id;
    if (title.startsWith('Act on many mailboxes')) variables.action = id;
    if (title.startsWith('Send a ping')) variables.delivery = id;
    if (title.startsWith('Read the mailboxes of the tenant')) {
      const isRead = async () => {
        const path = `/v1/connections/${variables.connection}/directory?limit=1`;
        const headers = { 'muster-customer': variables.customer ?? '' };
        return (await running.operator.call('GET', path, { headers })).body;
      };
      await expect.poll(isRead, { timeout: 20_000, interval: 50 }).toMatchObject({ reading: false, finding: null });
    }
    if (title.startsWith('Start an import')) {
      variables.import = id;
      // A person takes longer for the next call than the import needs to create its mailboxes.
      const isPlanned = async () => {
        const { body: progress } = await running.operator.call('GET', `/v1/imports/${id}`, {
          headers: { 'muster-customer': variables.customer ?? '' },
        });
        return !['accepted', 'planning'].includes(String(progress.status));
      };
      await expect.poll(isPlanned, { timeout: 20_000, interval: 50 }).toBe(true);
    }
  }

  const seen: string[] = [];
  // They need an admin in a browser.
  const calls = readCalls().filter(({ title }) => !title.startsWith('With the app of the service'));
  let before = await readAudit();
  for (const call of calls) {
    const { authorization, Authorization = authorization, ...headers } = call.headers;
    const answer = await running.operator.call(call.method, fill(call.target).replace(apiUrl, ''), {
      ...(call.body !== '' && { body: fill(call.body) }),
      headers: { ...headers, ...(Authorization && { authorization: fill(Authorization) }) },
    });
    // The import may have ended by itself before it is paused or cancelled, and without a failed row to retry.
    const mayBeLate = /(?:pause|resume|cancel|retry-failed|check|reconnect)$/.test(call.target);
    // No message is poison here.
    const mayBeAbsent = call.target.includes('{{poison}}');
    const isExcused = (answer.status === 409 && mayBeLate) || (answer.status === 404 && mayBeAbsent);
    expect(isExcused ? 200 : answer.status, `${call.title}: ${answer.text}`).toBeLessThan(300);

    const after = await readAudit();
    const made = after.filter(({ id }) => !before.some((record) => record.id === id));
    const isChange = call.method !== 'GET' && !call.target.includes('dryRun');
    const expected = {
      result: answer.status < 300 ? 'succeeded' : answer.body.code,
      status: answer.status,
      requestId: answer.headers.get('x-request-id'),
    };
    expect(made, call.title).toMatchObject(isChange ? [expected] : []);
    seen.push(...made.map(({ action }) => action));
    await keep(call, answer);
    // A user who copies something may have made a key for it.
    before = call.title.startsWith('Create an API key') ? await readAudit() : after;
  }
  expect(seen.length).toBeGreaterThan(15);
}, 60_000);

const folder = mkdtempSync(join(tmpdir(), 'muster-documents-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('what the README says to paste into a terminal works from top to bottom', async () => {
  const local = running.stack.local();
  mkdirSync(join(folder, '.muster'));
  writeFileSync(join(folder, '.muster/local.json'), JSON.stringify(local));
  writeFileSync(join(folder, '.muster/ca.pem'), running.stack.certificate.cert);
  const blocks = ['api=http', '"app":"vendor"', 'simulator='].map((text) => shellBlock('README.md', text));
  // Waits for the end of the import in place of a fixed time.
  const wait = `sleep() {
    for _ in $(seq 200); do
      curl -s $api/v1/imports/$import -H "Authorization: Bearer $key" | grep -q '"status":"completed"' && return
      command sleep 0.2
    done
  }\n`;
  const pasted = blocks.join('').replace('http://127.0.0.1:7071', local.apiUrl);
  const printed = await runInBash(wait + pasted, folder);
  expect(printed).toMatch(/"verdict":"passed".*"passed":1,"failed":1/s);
  expect(printed).toMatch(/jane@contoso\.example,.*passed/);
  expect(printed).toContain('mailbox_not_found');
  expect(printed).toMatch(/"purges":/);
}, 60_000);

it('the first customer of a deployment gets a key, as the page about deployments says', async () => {
  const { apiUrl, operatorKey } = running.stack.local();
  const pasted = shellBlock('docs/deploy.md', 'mailboxSlots')
    .replace(/^api=.*$/m, `api=${apiUrl}`)
    .replace(/^operator=.*$/m, `operator=${operatorKey}`)
    .replace('<customer>', String((await running.muster.me()).customer?.id));
  const printed = await runInBash(pasted);
  for (const part of ['"mailboxSlots":100', '"role":"owner"', '"key":"muster_']) expect(printed).toContain(part);
});

it('an admin gets a script with curl, as the guides say', async () => {
  const { apiUrl } = running.stack.local();
  const pasted = shellBlock('docs/setup/README.md', '--remote-name')
    .replace('https://muster.example.com', apiUrl)
    .replace(/^read -rs key.*$/m, `key=${running.ownerKey}`)
    .replace('"contoso.com"', '"fabrikam.example", "cloud": "simulator"');
  expect(await runInBash(pasted, folder)).toContain('"app":"vendor"');
  expect(readFileSync(join(folder, 'muster-register-app.ps1'), 'utf8')).toContain('#Requires');
});

it('every call that the runbook tells operators to type is answered', async () => {
  const { apiUrl, operatorKey } = running.stack.local();
  const [ask = ''] = /^ask\(\) .+$/m.exec(shellBlock('docs/operations.md', 'ask()')) ?? [];
  const calls = callsOf('docs/operations.md', 'ask').filter((call) => !call.includes('nextCursor'));
  expect(calls.length).toBeGreaterThan(20);

  const customer = String((await running.muster.me()).customer?.id);
  const { id: connection } = await running.muster.connections.create({
    name: 'Contoso',
    tenant: contoso.domain,
    clientId: contoso.clientId,
    clientSecret: contoso.clientSecret,
    clientSecretExpiresAt: '2035-01-01T00:00:00Z',
    cloud: 'simulator',
  });
  await running.muster.connections.test(connection);
  await running.muster.connections.replaceClientSecret(connection, {
    clientSecret: contoso.clientSecret,
    clientSecretExpiresAt: '2035-06-01T00:00:00Z',
  });
  const { id: webhook } = await running.muster.webhooks.create({
    url: 'https://hooks.contoso.com',
    events: ['import.completed'],
  });
  const { id: key } = await running.muster.apiKeys.create(customer, { name: 'spare', role: 'viewer' });
  const deleted = await running.operator.expect<{ id: string }>(201, 'POST', '/v1/customers', {
    body: { name: 'Deleted', mailboxSlots: 1 },
  });
  await running.operator.expect(204, 'DELETE', `/v1/customers/${deleted.id}`);

  /** An import that does not end by itself, because its mailbox never answers. */
  async function openImport(): Promise<string> {
    const { id } = await running.muster.imports.start(connection, `email\nsilent@${contoso.domain}\n`);
    await expect.poll(async () => (await running.progressOf(id)).status, { timeout: 20_000 }).toBe('running');
    return id;
  }

  const ids: Record<string, string> = { customer, connection, webhook, key, import: await openImport() };
  ids.action = (await running.muster.mailboxActions.start(connection, { action: 'pause', where: {} })).id;
  for (const call of calls) {
    if (call.includes('/resume')) {
      await running.untilEnded(ids.import ?? '', 40_000);
      ids.import = await openImport();
      await running.muster.imports.pause(ids.import);
    }
    const filled = call
      .replace('<customer>/restore', `${deleted.id}/restore`)
      .replaceAll(/<(\w+)>/g, (_, name: string) => ids[name] ?? `no ${name}`)
      .replace(/"expiresAt": "[^"]+"/, `"expiresAt": "${new Date(Date.now() + 86_400_000).toISOString()}"`);
    const printed = await runInBash(`api=${apiUrl}\noperator=${operatorKey}\n${ask}\n${filled}`);
    if (!call.includes('DELETE')) expect(JSON.parse(printed), filled).toEqual(expect.any(Object));
  }
  await running.muster.imports.cancel(ids.import ?? '');
}, 60_000);
