import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasBrowser, isTooWide, launchBrowser, paleTexts, watchPage } from '../support/browser.ts';
import { plainTenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

// Only a browser shows whether a page works under its Content-Security-Policy.

const running = useRunningStack(plainTenant(1));
let browser: Browser;
let apiUrl: string;

beforeAll(async () => {
  apiUrl = running.stack.local().apiUrl;
  if (hasBrowser) browser = await launchBrowser();
});
afterAll(() => browser?.close());

/** Opens a page of the app, and collects what the browser complains about and which hosts it asks. */
async function open(path: string, width = 1280): Promise<{ page: Page; complaints: string[]; hosts: Set<string> }> {
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  const watched = watchPage(page);
  await page.goto(new URL(path, apiUrl).href);
  return { page, ...watched };
}

describe.skipIf(!hasBrowser).each([1280, 390])('the API reference in a window of %i pixels', (width) => {
  it('shows every operation, without a violation of its policy and without asking another host', async () => {
    const { page, complaints, hosts } = await open('/docs', width);
    await page
      .getByRole('button', { name: /POST \/v1\/connections\b/ })
      .first()
      .waitFor();
    const document = (await (await fetch(new URL('/v1/openapi.json', apiUrl))).json()) as {
      paths: Record<string, Record<string, unknown>>;
      webhooks: Record<string, Record<string, unknown>>;
    };
    const shown = [...Object.values(document.paths), ...Object.values(document.webhooks)];
    const operations = shown.flatMap((path) => Object.keys(path));
    expect(await page.locator('.opblock').count()).toBe(operations.length);

    expect(await isTooWide(page)).toBe(false);
    const filter = await page.getByPlaceholder('Filter by tag or path').boundingBox();
    expect(filter?.width).toBeGreaterThan(0.9 * width);
    expect(complaints).toEqual([]);
    expect([...hosts]).toEqual([new URL(apiUrl).origin]);
    await page.close();
  });

  it('shows schemas and sends a request that a developer tries out', async () => {
    const { page, complaints, hosts } = await open('/docs', width);
    await page.locator('#operations-Imports-imports-get .opblock-summary-control').click();
    await page.locator('#operations-Imports-imports-get .responses-table').waitFor();
    const health = page.locator('#operations-Operations-health-get');
    await health.locator('.opblock-summary-control').click();
    await health.getByRole('button', { name: 'Try it out' }).click();
    await health.getByRole('button', { name: 'Execute' }).click();
    await health.locator('.live-responses-table').getByText('"ok"').first().waitFor();

    expect(await isTooWide(page)).toBe(false);
    expect(complaints).toEqual([]);
    expect([...hosts]).toEqual([new URL(apiUrl).origin]);
    await page.close();
  });
});

it.skipIf(!hasBrowser)('the page of a problem has its style, without a violation of its policy', async () => {
  const { page, complaints, hosts } = await open('/problems/slot_limit_reached', 390);
  await page.getByRole('heading', { name: 'The plan has too few free mailbox slots' }).waitFor();
  expect(await page.evaluate("getComputedStyle(document.querySelector('pre')).borderRadius")).not.toBe('0px');
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await paleTexts(page)).toEqual([]);
  }
  expect(await isTooWide(page)).toBe(false);
  expect(complaints).toEqual([]);
  expect([...hosts]).toEqual([new URL(apiUrl).origin]);
  await page.close();
});
