import { describe, expect, it } from 'vitest';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import {
  api,
  connectionOf,
  key,
  post,
  register,
  test,
  unavailable,
  useApiOfItsOwn,
} from '../support/registered-connections.ts';

useApiOfItsOwn();

describe('replacing the secret', () => {
  it('422: keeps the old secret if Microsoft refuses the new one', async () => {
    const id = await register();
    const body = { clientSecret: 'wrong-8Q~value', clientSecretExpiresAt: '2027-01-01T00:00:00Z' };
    const response = await api.request('PUT', `/v1/connections/${id}/client-secret`, { key, body });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: 'credentials_rejected', cause: 'secret_wrong' });
    expect(await (await post(`/v1/connections/${id}/test`)).json()).toMatchObject({ verdict: 'passed' });
  });

  const replace = (id: string, clientSecret: string, clientSecretExpiresAt = '2027-01-01') =>
    api.request('PUT', `/v1/connections/${id}/client-secret`, { key, body: { clientSecret, clientSecretExpiresAt } });
  const restore = (id: string) => post(`/v1/connections/${id}/client-secret/restore`);

  it('200: a new secret ends the finding about the old one, without another test', async () => {
    const id = await register();
    await test(id);
    api.deps.tenant.answers.set(GOOD_SECRET, 'AADSTS7000222');
    await test(id);
    expect(await connectionOf(id)).toMatchObject({ status: 'failing', clientSecret: { state: 'expired' } });
    api.deps.tenant.answers.set('better-8Q~value', ['Mail.Send']);
    const answer = await replace(id, 'better-8Q~value');
    expect(await answer.json()).toMatchObject({
      status: 'ready',
      finding: null,
      clientSecret: { state: 'valid', expiresAt: '2027-01-01T00:00:00.000Z' },
      lastTest: { verdict: 'passed' },
    });
  });

  it.each<
    [
      string,
      'vault_unavailable' | 'microsoft_throttled' | 'storage_unavailable',
      'vault' | 'tokens' | 'connections',
      string,
    ]
  >([
    ['the vault is throttled', 'vault_unavailable', 'vault', 'put'],
    ['Microsoft is throttled', 'microsoft_throttled', 'tokens', 'tryOut'],
    ['storage fails before it is in use', 'storage_unavailable', 'connections', 'update'],
  ])('503: says when to try again if %s, and the old secret stays in use', async (_why, code, part, call) => {
    const id = await register();
    await test(id);
    api.deps.tenant.answers.set('better-8Q~value', ['Mail.Send']);
    const working: Record<string, unknown> = { ...api.deps[part] };
    Object.assign(api.deps[part], { [call]: unavailable(code) });
    const answer = await replace(id, 'better-8Q~value');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '11']);
    expect(await answer.json()).toMatchObject({ code });
    Object.assign(api.deps[part], { [call]: working[call] });
    expect(await test(id)).toMatchObject({ verdict: 'passed', roles: ['Mail.ReadWrite', 'Mail.Send'] });
    expect((await replace(id, 'better-8Q~value')).status).toBe(200);
  });

  it('200: an accepted secret without any permission is kept, and the status says what is missing', async () => {
    const id = await register();
    api.deps.tenant.answers.set('better-8Q~value', ['User.Read.All']);
    const answer = await replace(id, 'better-8Q~value');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ status: 'failing', finding: { cause: 'permission_missing' } });
  });

  it('200: brings the earlier secret back, and can undo that; 409 once its time is over', async () => {
    const id = await register();
    expect((await restore(id)).status).toBe(409);
    api.deps.tenant.answers.set('better-8Q~value', ['Mail.Send']);
    await replace(id, 'better-8Q~value');
    expect(await connectionOf(id)).toMatchObject({
      clientSecret: {
        previous: { expiresAt: '2026-12-01T00:00:00.000Z', restorableUntil: '2026-06-04T00:00:00.000Z' },
      },
    });
    expect(await (await restore(id)).json()).toMatchObject({
      clientSecret: { expiresAt: '2026-12-01T00:00:00.000Z', previous: { expiresAt: '2027-01-01T00:00:00.000Z' } },
      lastTest: { roles: ['Mail.ReadWrite', 'Mail.Send'] },
    });
    expect(await (await restore(id)).json()).toMatchObject({ lastTest: { roles: ['Mail.Send'] } });
    expect(api.deps.vault.names()).toEqual([id, id]);
    api.deps.time.now = new Date('2026-06-04T00:00:00Z');
    expect(await (await restore(id)).json()).toMatchObject({ code: 'wrong_state' });
    expect(await connectionOf(id)).not.toMatchObject({ clientSecret: { previous: expect.anything() } });
  });

  it('422: does not bring back a secret that Microsoft refuses by now', async () => {
    const id = await register();
    api.deps.tenant.answers.set('better-8Q~value', ['Mail.Send']);
    await replace(id, 'better-8Q~value');
    api.deps.tenant.answers.delete(GOOD_SECRET);
    const answer = await restore(id);
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ cause: 'secret_wrong' });
    expect(await connectionOf(id)).toMatchObject({ clientSecret: { expiresAt: '2027-01-01T00:00:00.000Z' } });
  });

  it('200: uses the new secret if it works', async () => {
    const id = await register();
    api.deps.tenant.answers.set('better-8Q~value', ['Mail.Send']);
    const body = { clientSecret: 'better-8Q~value', clientSecretExpiresAt: '2027-01-01T00:00:00Z' };
    const response = await api.request('PUT', `/v1/connections/${id}/client-secret`, { key, body });
    expect(await response.json()).toMatchObject({ clientSecret: { expiresAt: '2027-01-01T00:00:00.000Z' } });
    expect(await (await post(`/v1/connections/${id}/test`)).json()).toMatchObject({ roles: ['Mail.Send'] });
  });
});
