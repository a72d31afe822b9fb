import { describe, expect, it } from 'vitest';
import { DomainError } from '../../shared/kernel/errors.ts';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { allPagesOf } from '../support/all-pages.ts';
import { DOMAIN } from '../support/api.ts';
import { jsonOf } from '../support/json-of.ts';
import {
  api,
  connectionOf,
  key,
  post,
  register,
  stepOf,
  type TestResult,
  test,
  useApiOfItsOwn,
} from '../support/registered-connections.ts';

useApiOfItsOwn();

describe('the connection test', () => {
  const statusOf = async (id: string) => (await connectionOf(id)).status;

  it('200: sets the status to ready when it passes, and to failing when Microsoft refuses', async () => {
    const id = await register();
    expect(await (await post(`/v1/connections/${id}/test`)).json()).toMatchObject({ verdict: 'passed' });
    expect(await statusOf(id)).toBe('ready');
    api.deps.tenant.answers.set(GOOD_SECRET, 'AADSTS7000222');
    const result = await (await post(`/v1/connections/${id}/test`)).json();
    expect(result).toMatchObject({ verdict: 'failed' });
    expect(stepOf(result, 'credential')).toMatchObject({ verdict: 'failed', cause: 'secret_expired' });
    expect(await statusOf(id)).toBe('failing');
    api.deps.tenant.answers.set(GOOD_SECRET, ['Mail.Send']);
    await post(`/v1/connections/${id}/test`);
    expect(await statusOf(id)).toBe('ready');
  });

  it('200: always has every step, in order; what depends on a failed one is skipped', async () => {
    const id = await register({ probes: ['graph.send', 'imap'], defaultMailbox: `jane@${DOMAIN}` });
    api.deps.tenant.answers.set(GOOD_SECRET, 'AADSTS7000215');
    const refused = await test(id);
    const ofToken = ['credential', 'tenant', 'audience'];
    const order = ['authority', ...ofToken, ...ofToken, 'roles', 'organization', 'defaultMailbox'];
    expect(refused.steps.map(({ step }) => step)).toEqual(order);
    expect(refused.steps.map(({ verdict }) => verdict)).toEqual([
      ...['passed', 'failed', 'skipped', 'skipped', 'failed', 'skipped', 'skipped'],
      ...['skipped', 'skipped', 'skipped'],
    ]);
    api.deps.tenant.answers.set(GOOD_SECRET, ['Mail.Send', 'IMAP.AccessAsApp']);
    const accepted = await test(id);
    expect(accepted.steps.map(({ step }) => step)).toEqual(order);
    expect(accepted.verdict).toBe('passed');
  });

  it('200: is inconclusive with Retry-After if Microsoft or our vault gives no answer, and changes no status', async () => {
    const id = await register();
    await test(id);
    const { get } = api.deps.tokens;
    const failures = [
      ['microsoft_throttled', 17, 'throttled', '17'],
      ['microsoft_unavailable', undefined, 'microsoft_unavailable', '10'],
      ['vault_unavailable', 10, 'vault_unavailable', '10'],
    ] as const;
    for (const [code, retryAfterSeconds, cause, retryAfter] of failures) {
      const options = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
      api.deps.tokens.get = () => Promise.reject(new DomainError(code, 'No answer.', options));
      const response = await post(`/v1/connections/${id}/test`);
      expect(response.status).toBe(200);
      expect(response.headers.get('retry-after')).toBe(retryAfter);
      const result = await jsonOf<TestResult>(response);
      expect(result.verdict).toBe('inconclusive');
      expect(stepOf(result, 'credential')).toMatchObject({ verdict: 'inconclusive', cause });
      expect(await connectionOf(id)).toMatchObject({
        status: 'ready',
        finding: null,
        lastTest: { verdict: 'inconclusive' },
      });
    }
    api.deps.tokens.get = () => new Promise(() => undefined);
    const slow = await post(`/v1/connections/${id}/test`);
    expect(slow.headers.get('retry-after')).toBe('10');
    expect(stepOf(await slow.json(), 'credential')).toMatchObject({
      verdict: 'inconclusive',
      detail: 'Microsoft did not answer within 2 seconds.',
    });
    api.deps.tokens.get = get;
    const passed = await post(`/v1/connections/${id}/test`);
    expect(passed.headers.get('retry-after')).toBeNull();
    expect(await passed.json()).toMatchObject({ verdict: 'passed' });
  });

  it('200: names the mail permissions that are missing if none is granted', async () => {
    api.deps.tenant.answers.set(GOOD_SECRET, ['User.Read.All']);
    const id = await register();
    const result = await test(id);
    expect(stepOf(result, 'roles')).toMatchObject({
      verdict: 'failed',
      cause: 'permission_missing',
      detail: expect.stringContaining('Mail.ReadWrite, Mail.Send'),
    });
    expect(await connectionOf(id)).toMatchObject({ status: 'failing', finding: { cause: 'permission_missing' } });
  });

  it.each([
    ['imap', [], 'consent_missing'],
    ['smtp', ['User.Read.All'], 'permission_missing'],
  ] as const)(
    '200: a connection for %s only is told its permission and not those of Graph, also when an import is refused',
    async (probe, roles, cause) => {
      api.deps.tenant.answers.set(GOOD_SECRET, [...roles]);
      const id = await register({ probes: [probe] });
      const step = stepOf(await test(id), 'roles');
      const permission = `${probe.toUpperCase()}.${probe === 'imap' ? 'AccessAsApp' : 'SendAsApp'}`;
      const fix = expect.stringContaining(
        `Office 365 Exchange Online > Application permissions, choose ${permission}.`,
      );
      expect(step).toMatchObject({ cause, fix });
      const connection = await connectionOf(id);
      expect(connection).toMatchObject({ finding: { cause, fix } });
      const upload = await api.request('POST', `/v1/connections/${id}/imports`, {
        ...{ key, raw: `email\na@${DOMAIN}\n`, headers: { 'content-type': 'text/csv' } },
      });
      const refused = await upload.json();
      expect(refused).toMatchObject({ code: 'connection_not_ready', cause, fix });
      expect(JSON.stringify([step, connection, refused])).not.toMatch(/Microsoft Graph|Mail\.(Send|ReadWrite)/);
    },
  );

  it('200: says that nothing but the permission lets an app use IMAP', async () => {
    api.deps.tenant.answers.set(GOOD_SECRET, ['Mail.Send']);
    const result = await test(await register({ probes: ['graph.send', 'imap'] }));
    expect(stepOf(result, 'roles')).toMatchObject({
      verdict: 'passed',
      detail:
        'The token does not show IMAP.AccessAsApp. RBAC for Applications cannot grant IMAP.AccessAsApp, so each mailbox fails the check for it.',
    });
  });

  it('200: passes with some of the permissions, and says which one the token does not show', async () => {
    api.deps.tenant.answers.set(GOOD_SECRET, ['Mail.Send']);
    const result = await test(await register());
    expect(result.verdict).toBe('passed');
    expect(stepOf(result, 'roles')).toMatchObject({ detail: expect.stringContaining('does not show Mail.ReadWrite') });
  });

  it('200: keeps the result of a failed first test; 409: an import then says what is wrong', async () => {
    api.deps.tenant.answers.set(GOOD_SECRET, 'AADSTS7000215');
    const id = await register();
    expect(await connectionOf(id)).toMatchObject({ status: 'awaitingConsent', finding: null, lastTest: null });
    await test(id);
    expect(await connectionOf(id)).toMatchObject({
      status: 'failing',
      finding: { cause: 'secret_wrong', microsoftCode: 'AADSTS7000215' },
      lastTest: { testedAt: '2026-06-01T00:00:00.000Z', verdict: 'failed' },
    });
    const raw = `email\na@${DOMAIN}\n`;
    const upload = await api.request('POST', `/v1/connections/${id}/imports`, {
      ...{ key, raw, headers: { 'content-type': 'text/csv' } },
    });
    expect(upload.status).toBe(409);
    expect(await upload.json()).toMatchObject({
      code: 'connection_not_ready',
      cause: 'secret_wrong',
      detail: expect.stringContaining('rejected the client secret'),
    });
  });

  it('200: says that the secret has expired if Microsoft says so, whatever date was typed', async () => {
    const id = await register();
    api.deps.tenant.answers.set(GOOD_SECRET, 'AADSTS7000222');
    await test(id);
    expect(await connectionOf(id)).toMatchObject({ clientSecret: { state: 'expired', daysLeft: 183 } });
  });

  it('200: says that the vault has no usable secret, as a finding', async () => {
    const id = await register();
    const { vault } = api.deps;
    for (const { connectionId, version } of await allPagesOf(vault)) await vault.remove(connectionId, version);
    expect(stepOf(await test(id), 'credential')).toMatchObject({ verdict: 'failed', cause: 'secret_missing' });
  });

  it('200: reports missing consent, and keeps the status awaitingConsent, if no test has passed yet', async () => {
    api.deps.tenant.answers.set(GOOD_SECRET, []);
    const id = await register();
    const result = await jsonOf<{ steps: object[] }>(await post(`/v1/connections/${id}/test`));
    expect(result.steps).toContainEqual(expect.objectContaining({ step: 'roles', cause: 'consent_missing' }));
    expect(await statusOf(id)).toBe('awaitingConsent');
  });

  it('200: passes without roles if the default mailbox works through RBAC for Applications', async () => {
    api.deps.tenant.answers.set(GOOD_SECRET, []);
    const id = await register({ defaultMailbox: `jane@${DOMAIN}` });
    expect(await (await post(`/v1/connections/${id}/test`)).json()).toMatchObject({ verdict: 'passed', roles: [] });
    expect(await statusOf(id)).toBe('ready');
  });
});

describe('a test of a connection that asks two services', () => {
  it('labels each step about a token with its service', async () => {
    const id = await register({ probes: ['graph.send', 'imap'] });
    const { steps } = (await (await post(`/v1/connections/${id}/test`)).json()) as {
      steps: { step: string; service?: string }[];
    };
    const labels = steps.map(({ step, service }) => (service ? `${service} ${step}` : step));
    const ofService = (service: string) => ['credential', 'tenant', 'audience'].map((step) => `${service} ${step}`);
    const others = ['roles', 'organization', 'defaultMailbox'];
    expect(labels).toEqual(['authority', ...ofService('graph'), ...ofService('exchange'), ...others]);
  });
});
