import { describe, expect, it } from 'vitest';
import { createSendBatch } from '../../../shared/adapters/graph/batch.ts';
import { graphAppRegistrations } from '../../../shared/adapters/graph/graph-app-registrations.ts';
import { Secret } from '../../../shared/kernel/secret.ts';
import { aConnection } from '../../support/records.ts';
import { type ErrorBody, startSimulatedTenant } from '../../support/simulator-client.ts';
import { type AppInput, wingtip, wingtipApp, wingtipTenant } from '../../support/wingtip.ts';

const client = await startSimulatedTenant({ tenants: [wingtipTenant()] });
const THUMBPRINT = '52ED9B5038A47B9E2E2190715CC238359D4F8F73';
const PEM = '-----BEGIN PUBLIC KEY-----';
const app = (more: Partial<AppInput>) => client.put(wingtipTenant({ apps: [wingtipApp(more)] }));
const secrets = [
  { value: wingtip.clientSecret, expiresAt: '2027-05-01T14:30:00Z', startsAt: '2026-05-01T14:30:00Z', name: 'Muster' },
  { value: 'abc8Q~another', expiresAt: '2028-05-01T00:00:00Z', id: '00000000-0000-4000-8000-000000000002' },
  { value: 'from-an-old-tool', hint: null },
];
const certificates = [
  { thumbprint: THUMBPRINT, publicKeyPem: PEM, name: 'CN=Muster', expiresAt: '2027-01-01T00:00:00Z' },
];

interface Application extends ErrorBody {
  passwordCredentials: object[];
  keyCredentials: object[];
}
const path = `/applications(appId='${wingtip.clientId}')`;
const get = () => client.graph<Application>('GET', path, {});

/** As the app reads it, with a token of the simulated Entra. */
async function read(clientId: string = wingtip.clientId) {
  const token = new Secret(await client.token());
  const sendBatch = createSendBatch({ timeoutMs: 5_000, now: () => new Date() });
  const registrations = graphAppRegistrations({
    sendBatch,
    clouds: () => ({ graphUrl: client.simulator.graphUrl }),
  });
  return registrations.read(aConnection({ clientId }), { token, expiresAt: new Date(), claims: { roles: [] } });
}

describe('the registration of an app', () => {
  it('shows every secret with its times and first characters, never its value, as Microsoft does', async () => {
    app({ grants: ['Application.Read.All'], secrets, certificates });
    const { status, body, text } = await get();
    expect(status).toBe(200);
    expect(body.passwordCredentials).toEqual([
      {
        customKeyIdentifier: null,
        displayName: 'Muster',
        startDateTime: '2026-05-01T14:30:00Z',
        endDateTime: '2027-05-01T14:30:00Z',
        hint: 'sim',
        keyId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        secretText: null,
      },
      expect.objectContaining({ displayName: null, hint: 'abc', keyId: '00000000-0000-4000-8000-000000000002' }),
      expect.objectContaining({ hint: null, endDateTime: '2299-12-31T00:00:00Z' }),
    ]);
    expect(body.keyCredentials).toEqual([
      {
        customKeyIdentifier: THUMBPRINT,
        displayName: 'CN=Muster',
        startDateTime: '2026-01-01T00:00:00Z',
        endDateTime: '2027-01-01T00:00:00Z',
        key: null,
        keyId: expect.any(String),
        type: 'AsymmetricX509Cert',
        usage: 'Verify',
      },
    ]);
    expect(text).not.toContain(wingtip.clientSecret);
  });

  it('is read by Muster, with what it needs', async () => {
    app({ grants: ['Application.Read.All'], secrets, certificates });
    expect(await read()).toEqual({
      kind: 'read',
      secrets: [
        {
          keyId: expect.any(String),
          name: 'Muster',
          hint: 'sim',
          startsAt: new Date('2026-05-01T14:30:00Z'),
          expiresAt: new Date('2027-05-01T14:30:00Z'),
        },
        expect.objectContaining({ hint: 'abc', expiresAt: new Date('2028-05-01T00:00:00Z') }),
        expect.not.objectContaining({ hint: expect.anything() }),
      ],
      certificates: [
        {
          keyId: expect.any(String),
          name: 'CN=Muster',
          thumbprint: THUMBPRINT.toLowerCase(),
          startsAt: new Date('2026-01-01T00:00:00Z'),
          expiresAt: new Date('2027-01-01T00:00:00Z'),
        },
      ],
    });
  });

  it.each<[string, Partial<AppInput>]>([
    ['without a permission for it', { grants: ['Mail.Send'] }],
    ['with the permission of an owner only', { grants: ['Application.ReadWrite.OwnedBy'] }],
    ['that is registered in another tenant', { grants: ['Application.Read.All'], registeredElsewhere: true }],
  ])('refuses an app %s', async (_, more) => {
    app(more);
    expect((await get()).status).toBe(more.registeredElsewhere ? 404 : 403);
    expect(await read()).toEqual({ kind: 'refused' });
  });

  it('is open to an app that owns it', async () => {
    app({ grants: ['Application.ReadWrite.OwnedBy'], ownsRegistration: true });
    expect(await read()).toMatchObject({ kind: 'read', secrets: [{ hint: 'sim' }] });
    expect(await read('00000000-0000-4000-8000-00000000dead')).toEqual({ kind: 'refused' });
  });

  it('is unavailable, not refused, while Microsoft is', async () => {
    client.put(
      wingtipTenant({
        apps: [wingtipApp({ grants: ['Application.Read.All'] })],
        faultRates: { unavailable: 1 },
      }),
    );
    expect(await read()).toEqual({ kind: 'unavailable' });
  });
});
