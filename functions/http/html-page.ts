import { createHash } from 'node:crypto';
import type { HttpResponseInit } from '@azure/functions';

const STYLE = [
  ':root{color-scheme:light dark}',
  'body{font:1.1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:8vh auto;padding:0 1.5rem;color:#1b1f24;background:#fff}',
  'h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}',
  'code,pre{font:.9em/1.5 ui-monospace,monospace}',
  'pre{padding:1rem;background:#f2f4f6;border-radius:.4rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}',
  'ul{padding-left:1.2rem}li{overflow-wrap:anywhere}a{color:#0b5cad}',
  '@media(prefers-color-scheme:dark){body{color:#e6e8eb;background:#16181b}pre{background:#23272c}a{color:#7fb8f5}}',
].join('');

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** `data:` lets the page name an empty icon, so that browsers do not ask for `/favicon.ico`. */
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; img-src data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'`;

/** A page in English that loads nothing and runs no scripts. `body` is HTML: escape every text in it. */
export function htmlPage(title: string, body: string): HttpResponseInit {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)}</title><link rel="icon" href="data:,"><style>${STYLE}</style>`;
  return {
    status: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': POLICY,
      // An address may contain a one-time state.
      'referrer-policy': 'no-referrer',
    },
    body: `<!doctype html><html lang="en"><head>${head}</head><body><main><h1>${escapeHtml(title)}</h1>${body}</main></body></html>`,
  };
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
