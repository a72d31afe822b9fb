import { expect } from 'vitest';

const visit = (url: string, form?: Record<string, string>) =>
  fetch(url, { redirect: 'manual', ...(form && { method: 'POST', body: new URLSearchParams(form) }) });

const nextOf = (response: Response) => response.headers.get('location') ?? '';

/** The browser of an admin who opens a consent link of the service's app, accepts, signs in, and confirms. */
export async function consentAndConfirm(consentLink: string, person: string, apiUrl: string): Promise<void> {
  const callback = nextOf(await visit(consentLink, { decision: 'accept' }));
  const signIn = nextOf(await visit(callback));
  const page = await (await visit(nextOf(await visit(signIn, { person })))).text();
  const path = /action="([^"]+)"/.exec(page)?.[1] ?? '';
  const confirmed = await visit(new URL(path.replaceAll('&#38;', '&'), apiUrl).href, {});
  expect(await confirmed.text()).toContain('Consent granted');
}
