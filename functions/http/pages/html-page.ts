import { createHash } from 'node:crypto';
import type { HttpResponseInit } from '@azure/functions';

const STYLE = [
  ':root{color-scheme:light dark;--text:#1b1f24;--soft:#57606a;--page:#f4f5f7;--card:#fff;--line:#d8dde3;--code:#f2f4f6;--link:#0b5cad;--good:#1a7f37;--bad:#b42318;--note:#8a5a00}',
  '@media(prefers-color-scheme:dark){:root{--text:#e6e8eb;--soft:#a3abb5;--page:#101214;--card:#1a1d21;--line:#31363c;--code:#23272c;--link:#7fb8f5;--good:#4ac26b;--bad:#ff8a80;--note:#e0b050}}',
  '*{box-sizing:border-box}',
  'body{margin:0;padding:1rem;font:1.05rem/1.55 system-ui,sans-serif;color:var(--text);background:var(--page)}',
  'main{max-width:44rem;margin:6vh auto;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem;overflow-wrap:anywhere}',
  'h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.25}h2{font-size:1.15rem;margin:1.75rem 0 .5rem}',
  'p{margin:.75rem 0}ul,ol{margin:.5rem 0;padding-left:1.5rem}li{margin:.4rem 0}a{color:var(--link)}',
  'dl{margin:1rem 0}dt{color:var(--soft);font-size:.95rem}dd{margin:0 0 .6rem;font-weight:600}',
  'code,pre{font:.9em/1.5 ui-monospace,monospace}',
  'pre{padding:1rem;background:var(--code);border-radius:.4rem;overflow-x:auto;white-space:pre-wrap}',
  '.sign{display:block;width:3rem;height:3rem;margin:0 0 1rem;fill:none;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}',
  '.good{stroke:var(--good)}.bad{stroke:var(--bad)}.note{stroke:var(--note)}',
  '.soft{margin:1.75rem 0 0;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.95rem}.soft p{margin:.25rem 0}',
  'label{display:block;margin:1.25rem 0 .5rem}input{width:1.1rem;height:1.1rem;margin:0 .3rem 0 0;vertical-align:text-bottom}',
  'button{margin:.5rem 0;padding:.6rem 1.2rem;font:inherit;font-weight:600;color:#fff;background:#0b5cad;border:0;border-radius:.4rem;cursor:pointer}',
  '@media(max-width:30rem){body{padding:.5rem}main{margin:.5rem auto;padding:1.25rem}}',
].join('');

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** `data:` lets the page name an empty icon, so that browsers do not ask for `/favicon.ico`. */
const policyOf = (hasForm: boolean) =>
  `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; img-src data:; form-action ${hasForm ? "'self'" : "'none'"}; frame-ancestors 'none'; base-uri 'none'`;

/** The drawing of each sign: a tick, a cross, an exclamation mark. */
const signs = {
  good: '<path d="M7.5 12.5l3 3 6-6.5"/>',
  bad: '<path d="M8.5 8.5l7 7M15.5 8.5l-7 7"/>',
  note: '<path d="M12 7v6M12 16.5v.1"/>',
};
export type Sign = keyof typeof signs;

/**
 * A page in English that loads nothing and runs no scripts. `body` is HTML: escape every text in it.
 *
 * @param sign shows at a glance how something has ended
 * @param hasForm whether the page may send a form to us
 */
export function htmlPage(title: string, body: string, sign?: Sign, hasForm = false): HttpResponseInit {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)}</title><link rel="icon" href="data:,"><style>${STYLE}</style>`;
  const picture = sign
    ? `<svg class="sign ${sign}" viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="10"/>${signs[sign]}</svg>`
    : '';
  return {
    status: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policyOf(hasForm),
      // An address may contain a one-time state.
      'referrer-policy': 'no-referrer',
    },
    body: `<!doctype html><html lang="en"><head>${head}</head><body><main>${picture}<h1>${escapeHtml(title)}</h1>${body}</main></body></html>`,
  };
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
