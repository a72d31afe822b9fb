/**
 * Does what an admin does on the consent page: opens the link, reads the form, presses Accept, and is led back to the
 * app. Resolves to the page on which the browser ends up.
 */
export async function consentAsAdmin(url: string): Promise<string> {
  const page = await (await fetch(url)).text();
  const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1];
  if (!action) throw new Error('the consent page has no form');
  const fields = new URLSearchParams({ decision: 'accept' });
  for (const [, name = '', value = ''] of page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)) {
    fields.set(unescapeHtml(name), unescapeHtml(value));
  }
  const answered = await fetch(new URL(unescapeHtml(action), url), { method: 'POST', body: fields });
  const text = await answered.text();
  if (!answered.ok) throw new Error(`the consent callback answered ${answered.status}`);
  return /<h1>([^<]*)<\/h1>/.exec(text)?.[1] ?? '';
}

function unescapeHtml(text: string): string {
  return text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
