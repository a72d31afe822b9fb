import { expect, it } from 'vitest';
import { createMuster } from '../../clients/typescript/src/index.ts';
import { createCustomer } from '../../local/customer.ts';
import { csvOf, plainAddresses, plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const VENDOR_APP_CLIENT_ID = '3d8c3b52-3f0e-4a3c-9f0b-6a2f0c9d7e41';
const ADDRESSES = plainAddresses(3);
const ADMIN = `admin@${tenant.domain}`;
const SOMEONE = `someone@${tenant.domain}`;

const running = useRunningStack(
  plainTenant(ADDRESSES.length, {
    apps: [
      {
        clientId: VENDOR_APP_CLIENT_ID,
        displayName: 'Outreach',
        registeredElsewhere: true,
        trustsDeployment: true,
        consent: 'absent',
        grants: ['Mail.ReadWrite', 'Mail.Send'],
      },
    ],
  }),
  { settings: { VENDOR_APP_CLIENT_ID, VENDOR_APP_CLOUD: 'simulator' } },
);

const registration = { name: 'Tailspin', tenant: tenant.domain, app: 'vendor', cloud: 'simulator' } as const;

const visit = (url: string, form?: Record<string, string>) =>
  fetch(url, { redirect: 'manual', ...(form && { method: 'POST', body: new URLSearchParams(form) }) });
const nextOf = (response: Response) => response.headers.get('location') ?? '';

/** The browser of a person who opens the link, accepts and signs in. Resolves to the page that it ends on. */
async function openLink(connectionId: string, person: string): Promise<string> {
  const { url = '' } = await running.muster.connections.consent(connectionId);
  expect(await (await visit(url)).text()).toContain('Permissions requested');
  const callback = nextOf(await visit(url, { decision: 'accept' }));
  const signIn = nextOf(await visit(callback));
  expect(new URL(signIn).pathname).toBe(`/${tenant.id}/oauth2/v2.0/authorize`);
  const back = await visit(nextOf(await visit(signIn, { person })));
  expect(back.status).toBe(200);
  return await back.text();
}

const confirmUrlOf = (page: string) => {
  const path = /action="([^"]+)"/.exec(page)?.[1];
  return path === undefined ? undefined : new URL(path.replaceAll('&#38;', '&'), running.stack.local().apiUrl).href;
};

const tokensAsked = async (since: Date) =>
  (await running.callsSince(since)).filter(({ route }) => route.endsWith('/token')).length;

it('an admin connects a tenant in the browser alone, and only for the customer whose name the page shows', async () => {
  const { connections } = running.muster;
  const { id, clientId } = await connections.create(registration);
  expect(clientId).toBe(VENDOR_APP_CLIENT_ID);

  const byAnyone = await openLink(id, SOMEONE);
  expect(byAnyone).toContain('An administrator must confirm');
  expect(confirmUrlOf(byAnyone)).toBeUndefined();
  expect(await connections.test(id)).toMatchObject({ verdict: 'failed' });

  const page = await openLink(id, ADMIN);
  expect(page).toContain('Acme');
  const confirmed = await visit(confirmUrlOf(page) ?? '', {});
  expect(await confirmed.text()).toContain('Consent granted');

  expect(await connections.test(id)).toMatchObject({ verdict: 'passed', roles: ['Mail.ReadWrite', 'Mail.Send'] });
  const started = await running.startImport(id, csvOf(ADDRESSES));
  const { counts } = await running.untilEnded(started.id, 60_000);
  expect(counts).toMatchObject({ accepted: ADDRESSES.length, passed: ADDRESSES.length });

  // Another customer of the same service has the tenant's consent, and gets nothing by it.
  const { apiUrl, operatorKey } = running.stack.local();
  const operator = createMuster({ url: apiUrl, key: operatorKey, fetch: running.fetch });
  const { key } = await createCustomer(operator, { name: 'Mallory', mailboxSlots: 10 });
  const mallory = createMuster({ url: apiUrl, key, fetch: running.fetch });
  const { id: theirs } = await mallory.connections.create(registration);
  const before = new Date();
  const refused = await mallory.connections.test(theirs);
  expect(refused.steps.find(({ step }) => step === 'credential')).toMatchObject({
    verdict: 'failed',
    cause: 'admin_confirmation_missing',
  });
  expect(await tokensAsked(before)).toBe(0);
});
