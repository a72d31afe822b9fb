import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Connection } from '../../clients/typescript/src/index.ts';
import { csvOf, plainAddresses, plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const ADDRESSES = plainAddresses(3);
const running = useRunningStack(plainTenant(ADDRESSES.length));

const { domain, clientId } = tenant;
const registration = { tenant: domain, clientId, cloud: 'simulator' } as const;
const file = (name: string) => readFileSync(new URL(`../fixtures/certificates/${name}`, import.meta.url));

const certificates: { thumbprint: string; publicKeyPem: string }[] = [];

/** What an admin does in the Entra admin center. */
async function addToApp(publicKeyPem: string, thumbprint: string): Promise<void> {
  certificates.push({ thumbprint, publicKeyPem });
  await running.changeTenant(({ apps }) => {
    for (const app of apps ?? []) app.certificates = certificates;
  });
}

async function expectImported({ id }: Connection): Promise<void> {
  const { verdict } = await running.muster.connections.test(id);
  expect(verdict).toBe('passed');
  const started = await running.startImport(id, csvOf(ADDRESSES));
  const { counts } = await running.untilEnded(started.id, 60_000);
  expect(counts).toMatchObject({ accepted: ADDRESSES.length, passed: ADDRESSES.length });
}

it('an import runs with a certificate that was made, once its public part was added to the app', async () => {
  const { connections } = running.muster;
  const certificate = { source: 'made', validMonths: 12 } as const;
  const connection = await connections.create({ name: 'Made', ...registration, certificate });
  const refused = await connections.test(connection.id);
  expect(refused.steps.find(({ cause }) => cause)).toMatchObject({ cause: 'certificate_not_registered' });

  const pem = await connections.downloadCertificate(connection.id);
  await addToApp(pem, connection.certificate?.thumbprint ?? '');
  await expectImported(connection);

  // The key of the next one is in the vault before the app lists it.
  const { nextCertificate } = await connections.makeCertificate(connection.id, 24);
  await expect(connections.replaceCertificate(connection.id)).rejects.toMatchObject({ status: 422 });
  await addToApp(await connections.downloadCertificate(connection.id), nextCertificate?.thumbprint ?? '');
  const replaced = await connections.replaceCertificate(connection.id);
  expect(replaced).toMatchObject({ status: 'ready', certificate: { thumbprint: nextCertificate?.thumbprint } });
  const restored = await connections.restoreCertificate(connection.id);
  expect(restored).toMatchObject({ status: 'ready', certificate: { thumbprint: connection.certificate?.thumbprint } });
  await connections.remove(connection.id);
});

it('an import runs with a PFX file that was uploaded, and its connection takes a client secret afterwards', async () => {
  const { connections } = running.muster;
  const pfx = file('triple-des.pfx').toString('base64');
  const connection = await connections.create({
    name: 'Uploaded',
    ...registration,
    certificate: { source: 'pfx', pfx, password: 'hunter2' },
  });
  const [pem = ''] = file('rsa-2048.pem').toString().split('-----BEGIN PRIVATE');
  await addToApp(pem, connection.certificate?.thumbprint ?? '');
  await expectImported(connection);

  const { clientSecret } = tenant;
  const secret = { clientSecret, clientSecretExpiresAt: '2035-12-31' };
  const replaced = await connections.replaceClientSecret(connection.id, secret);
  expect(replaced).toMatchObject({ status: 'ready', certificate: null, clientSecret: { state: 'valid' } });
  await connections.remove(connection.id);
});
