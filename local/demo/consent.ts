/**
 * Does what an admin does on the consent page: opens the link, presses Accept, and follows the redirect to the app.
 * Resolves to the heading of the last page, and whether consent was given.
 */
export async function consentAsAdmin(url: string): Promise<{ ok: boolean; title: string }> {
  const page = await (await fetch(url)).text();
  const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1];
  if (!action) throw new Error('the consent page has no form');
  const fields = new URLSearchParams({ decision: 'accept' });
  for (const [, name = '', value = ''] of page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)) {
    fields.set(unescapeHtml(name), unescapeHtml(value));
  }
  const answered = await fetch(new URL(unescapeHtml(action), url), { method: 'POST', body: fields });
  const text = await answered.text();
  return { ok: answered.ok, title: /<h1>([^<]*)<\/h1>/.exec(text)?.[1] ?? String(answered.status) };
}

function unescapeHtml(text: string): string {
  return text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
