import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TableClient } from '@azure/data-tables';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tables } from '../../shared/kernel/storage-names.ts';
import { hasBrowser, isTooWide, launchBrowser, paleTexts, watchPage } from '../support/browser.ts';
import { plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const OTHER_TENANT = '7d20e4b1-93aa-4c1e-8a55-6b1f3c9d2e48';
const app = {
  clientId: tenant.clientId,
  displayName: 'Outreach',
  secrets: [{ value: tenant.clientSecret, expiresAt: '2036-01-01T00:00:00Z' }],
  grants: ['Mail.ReadWrite', 'Mail.Send'],
  consent: 'required' as const,
};
const VENDOR_APP_CLIENT_ID = '3d8c3b52-3f0e-4a3c-9f0b-6a2f0c9d7e41';
const vendorApp = {
  clientId: VENDOR_APP_CLIENT_ID,
  displayName: 'Outreach',
  registeredElsewhere: true,
  trustsDeployment: true,
  grants: ['Mail.ReadWrite', 'Mail.Send'],
  consent: 'absent' as const,
};
const scenario = plainTenant(1, { apps: [app, vendorApp] });
const other = { id: OTHER_TENANT, name: 'Fabrikam', domains: ['fabrikam.example'], apps: [app], mailboxes: [] };
/** Storage that is stopped and started again keeps its data only in a folder. */
const data = mkdtempSync(join(tmpdir(), 'muster-consent-'));
const running = useRunningStack(
  { ...scenario, tenants: [...scenario.tenants, other] },
  { data, settings: { VENDOR_APP_CLIENT_ID, VENDOR_APP_CLOUD: 'simulator' } },
);
afterAll(() => rmSync(data, { recursive: true, force: true }));

/** A folder for screenshots, for people who want to look at the pages. */
const SCREENSHOTS = process.env.SCREENSHOTS;
const WIDTHS = [1280, 360];
const SCHEMES = ['light', 'dark'] as const;

let browser: Browser;
let id: string;
beforeAll(async () => {
  if (!hasBrowser) return;
  browser = await launchBrowser();
  const { id: _id, domain, ...credentials } = tenant;
  const connection = await running.muster.connections.create({
    ...{ name: 'Tailspin sales', tenant: domain, ...credentials },
    ...{ clientSecretExpiresAt: '2035-12-31', cloud: 'simulator' },
  });
  id = connection.id;
});
afterAll(() => browser?.close());

const newLink = async () =>
  (await running.owner.expect<{ url: string }>(201, 'POST', `/v1/connections/${id}/consent`)).url;

interface Seen {
  status: string;
  consentedAt: string | null;
  finding: { cause: string; detail: string; microsoftCode?: string } | null;
}
const connection = () => running.owner.expect<Seen>(200, 'GET', `/v1/connections/${id}`);

/** Opens an address as an admin does, and presses a button of Microsoft’s page if there is one to press. */
async function visit(url: string, button?: 'Accept' | 'Cancel'): Promise<Page> {
  // The simulated Microsoft has a certificate of its own.
  const page = await browser.newPage({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 800 } });
  const { complaints } = watchPage(page);
  await page.goto(url);
  if (button) {
    await page.getByRole('heading', { name: 'Permissions requested' }).waitFor();
    await page.getByRole('button', { name: button }).click();
    await page.waitForURL(/\/v1\/consent\/callback\?/);
  }
  // A browser reports the status of every page that is an error.
  expect(complaints.filter((text) => !text.includes('Failed to load resource'))).toEqual([]);
  return page;
}

/** Expects the page to say this, and to be readable on a desktop and on a phone, in light and dark. */
async function expectPage(page: Page, title: string, ...words: (string | RegExp)[]): Promise<void> {
  expect(await page.locator('h1').allTextContents()).toEqual([title]);
  expect(await page.title()).toBe(title);
  const text = await page.locator('main').innerText();
  for (const word of words) expect(text).toMatch(word instanceof RegExp ? word : new RegExp(RegExp.escape(word)));
  expect(await page.locator('h2').allTextContents()).toEqual(['What to do next']);
  expect(await page.locator('li').count()).toBeGreaterThan(0);
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    expect(await isTooWide(page), `${title} at ${width} pixels`).toBe(false);
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      expect(await paleTexts(page), `${title} in ${colorScheme}`).toEqual([]);
      const name = `${String(words[0] ?? '')} ${title} ${width} ${colorScheme}`.replace(/\W+/g, ' ').trim();
      if (SCREENSHOTS) await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
    }
  }
}

const changeApp = (change: object) =>
  running.changeTenant((changed) => {
    for (const one of changed.apps ?? []) Object.assign(one, change);
  });

describe.skipIf(!hasBrowser)('an admin who opens the consent link', () => {
  it('and cancels, reads what to do, and the person who sent the link sees it too', async () => {
    const page = await visit(await newLink(), 'Cancel');
    await expectPage(page, 'Consent was not granted', 'canceled', 'Ask the person', 'choose Accept');
    expect(await connection()).toMatchObject({ status: 'awaitingConsent', finding: { cause: 'consent_declined' } });
    await page.close();
  });

  it.each([
    ['declines', { consent: 'declined' }, 'AADSTS65004', /canceled/],
    ['is no administrator', { consentError: 'AADSTS90094' }, 'AADSTS90094', /cannot grant consent for the whole/],
    ['is from another organization', { consentError: 'AADSTS50020' }, 'AADSTS50020', /private browser window/],
    ['is blocked by Conditional Access', { consentError: 'AADSTS53003' }, 'AADSTS53003', /Sign-in logs/],
    ['is not assigned to the app', { consentError: 'AADSTS50105' }, 'AADSTS50105', /policy/],
    ['meets a code that nobody knows', { consentError: 'AADSTS7654321' }, 'AADSTS7654321', /refuses again/],
    ['belongs to a tenant without Exchange', { consentError: 'AADSTS650052' }, 'AADSTS650052', /Exchange Online/],
  ])('and %s, reads why and what to do', async (_, change, code, words) => {
    await changeApp(change);
    const page = await visit(await newLink(), 'Accept');
    await expectPage(page, 'Consent was not granted', words, code, /ask/i);
    expect(await page.getByRole('link').getAttribute('href')).toMatch(/^https:\/\/learn\.microsoft\.com\//);
    const { status, finding, consentedAt } = await connection();
    expect([status, consentedAt, finding?.microsoftCode]).toEqual(['awaitingConsent', null, code]);
    await page.close();
  });

  it('of another organization by a changed address, changes nothing', async () => {
    await changeApp({});
    const link = (await newLink()).replace(tenant.id, OTHER_TENANT);
    const page = await visit(link, 'Accept');
    await expectPage(page, 'Consent came from another organization', 'not updated', '“Tailspin sales”');
    expect((await connection()).consentedAt).toBeNull();
    await page.close();
  });

  it('too late, reads that it has expired', async () => {
    const link = await newLink();
    const table = TableClient.fromConnectionString(running.stack.local().storage.connectionString, tables.consents, {
      allowInsecureConnection: true,
    });
    for await (const { partitionKey = '', rowKey = '', usedAt } of table.listEntities()) {
      if (!usedAt) await table.updateEntity({ partitionKey, rowKey, expiresAt: new Date(Date.now() - 1) }, 'Merge');
    }
    const page = await visit(link, 'Accept');
    await expectPage(page, 'This link has expired', 'limited time', 'new link');
    expect((await connection()).consentedAt).toBeNull();
    await page.close();
  });

  it('while Microsoft has a problem, opens the same link again, and accepts; a reload changes nothing', async () => {
    await changeApp({ consentError: 'AADSTS90033' });
    const link = await newLink();
    const early = await visit(link, 'Accept');
    await expectPage(early, 'Microsoft could not finish the request', 'still works', 'same link');
    await changeApp({});
    const page = await visit(link, 'Accept');
    await expectPage(page, 'Consent granted', 'Thank you', 'can be tested', '“Tailspin sales”');
    const { consentedAt, ...granted } = await connection();
    expect(granted).toMatchObject({ status: 'awaitingConsent', finding: null });
    expect(consentedAt).not.toBeNull();

    await page.reload();
    await expectPage(page, 'This link has been used', 'works once', 'reloaded this page');
    // Someone who has seen the address replays it in another browser, with another answer.
    const replayed = new URL(page.url());
    replayed.searchParams.set('error', 'access_denied');
    const thief = await visit(replayed.href);
    await expectPage(thief, 'This link has been used');
    expect(await connection()).toMatchObject({ consentedAt, finding: null });
    expect(await running.muster.connections.test(id)).toMatchObject({ verdict: 'passed' });
    for (const one of [early, page, thief]) await one.close();
  });

  it('again after the connection works, and cancels, breaks nothing', async () => {
    const page = await visit(await newLink(), 'Cancel');
    await expectPage(page, 'Consent was not granted');
    expect(await connection()).toMatchObject({ status: 'ready', finding: null });
    await page.close();
  });
});

describe.skipIf(!hasBrowser)('an admin who connects the tenant by the app of the service', () => {
  it('accepts, signs in, reads who will use the tenant, and confirms', async () => {
    await changeApp({ emitsRoles: true });
    const { connections } = running.muster;
    const registration = { name: 'Tailspin by one click', tenant: tenant.domain, app: 'vendor' } as const;
    const { id: theirs } = await connections.create({ ...registration, cloud: 'simulator' });

    const openAs = async (upn: string) => {
      const page = await browser.newPage({ ignoreHTTPSErrors: true });
      await page.goto((await connections.consent(theirs)).url ?? '');
      await page.getByRole('button', { name: 'Accept' }).click();
      await page.getByRole('button', { name: upn }).click();
      await page.waitForURL(/\/v1\/consent\/sign-in\?/);
      return page;
    };
    const byAnyone = await openAs(`someone@${tenant.domain}`);
    await expectPage(byAnyone, 'An administrator must confirm', 'Global Administrator');
    await byAnyone.close();

    const page = await openAs(`admin@${tenant.domain}`);
    await expectPage(
      page,
      'Who may use your organization’s mailboxes?',
      'Acme',
      tenant.domain,
      'Tailspin by one click',
    );
    await page.getByRole('button', { name: 'Confirm' }).click();
    // One click alone sends nothing.
    expect(await page.title()).toBe('Who may use your organization’s mailboxes?');
    await page.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Confirm' }).click();
    await expectPage(page, 'Consent granted', 'Thank you');
    await page.close();
    expect(await connections.test(theirs)).toMatchObject({ verdict: 'passed' });
  });
});

describe.skipIf(!hasBrowser)('a browser at the callback', () => {
  const callback = (query: Record<string, string> = {}) =>
    `${running.stack.local().apiUrl}/v1/consent/callback?${new URLSearchParams(query)}`;

  it('with a forged state, without one, or with one that is too long, changes nothing', async () => {
    for (const state of ['A'.repeat(43), '', 'A'.repeat(5_000)]) {
      const page = await visit(callback({ state, admin_consent: 'True', tenant: tenant.id }));
      await expectPage(page, 'This link is not known', 'Nothing was changed');
      await page.close();
    }
  });

  it('with the state alone leaves the link as it is', async () => {
    const state = new URL(await newLink()).searchParams.get('state') ?? '';
    const page = await visit(callback({ state }));
    await expectPage(page, 'The answer is incomplete', 'still works');
    await page.close();
  });

  it('while our storage is down shows a page that says to reload, and a reload shows what happened', async () => {
    const state = new URL(await newLink()).searchParams.get('state') ?? '';
    await running.stack.storage.stop();
    const page = await visit(callback({ state, admin_consent: 'True', tenant: tenant.id }));
    await expectPage(page, 'We could not record the answer', 'reload this page', 'Request ID');
    await running.stack.storage.start();
    await page.reload();
    await expectPage(page, 'Consent granted');
    await page.close();
  });
});
