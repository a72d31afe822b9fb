import type { HttpResponseInit } from '@azure/functions';
import { causes } from '../../shared/causes/causes.ts';
import type { ConsentOutcome } from '../../shared/connections/consent.ts';

interface Words {
  title: string;
  paragraphs: string[];
}

/** The page on which the admin's browser ends up: what happened, and what comes next. No outside hosts, no scripts. */
export function consentPage(outcome: ConsentOutcome): HttpResponseInit {
  const { title, paragraphs } = words(outcome);
  const style =
    'body{font:1.1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:12vh auto;padding:0 1.5rem;color:#1b1f24}h1{font-size:1.5rem}';
  const body = paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`).join('');
  return {
    status: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy':
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
      'x-content-type-options': 'nosniff',
      // The address holds the one-time state.
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    },
    body: `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)}</title><style>${style}</style></head><body><main><h1>${escapeHtml(title)}</h1>${body}</main></body></html>`,
  };
}

function words(outcome: ConsentOutcome): Words {
  switch (outcome.kind) {
    case 'consented':
      return {
        title: 'Thank you: consent was given',
        paragraphs: [
          `The connection “${outcome.connection.name}” has been noted as consented. You can close this page.`,
          'Microsoft may need a few minutes until the permissions work; a test of the connection shows when they do.',
        ],
      };
    case 'declined':
      return {
        title: 'Consent was not given',
        paragraphs: [
          outcome.why === 'cancelled'
            ? 'The request was cancelled, or the account that was signed in may not consent for the whole organisation.'
            : causes.consent_declined.sentence,
          causes.consent_declined.fix,
          ...(outcome.microsoftCode ? [`Microsoft’s code: ${outcome.microsoftCode}`] : []),
        ],
      };
    case 'wrongTenant':
      return {
        title: 'That was another organisation',
        paragraphs: [
          `Consent came from another tenant than the one “${outcome.connection.name}” was registered for. Nothing was changed here.`,
          'Sign in with an administrator of the registered tenant, or register a connection for the other one.',
        ],
      };
    case 'unknown':
      return {
        title: 'Nothing to do here',
        paragraphs: [
          'This page belongs to a consent link. The link is not known, was used before or has expired, so nothing was changed.',
          'If you gave consent just now, a test of the connection will find it. Otherwise ask for a new link.',
        ],
      };
  }
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
