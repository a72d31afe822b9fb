import type { HttpResponseInit } from '@azure/functions';
import { causes } from '../../shared/causes/causes.ts';
import type { ConsentOutcome } from '../../shared/connections/consent.ts';
import { escapeHtml, htmlPage } from './html-page.ts';

interface PageText {
  title: string;
  paragraphs: string[];
}

/** The page that the admin sees after the consent dialog. It is not stored, because it names the connection. */
export function consentPage(outcome: ConsentOutcome): HttpResponseInit {
  const { title, paragraphs } = textOf(outcome);
  const page = htmlPage(title, paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`).join(''));
  return { ...page, headers: { ...page.headers, 'cache-control': 'no-store' } };
}

function textOf(outcome: ConsentOutcome): PageText {
  switch (outcome.kind) {
    case 'consented':
      return {
        title: 'Consent granted',
        paragraphs: [
          `Thank you. Microsoft reports that you granted consent for the connection “${outcome.connection.name}”. You can close this page.`,
          'The permissions may need a few minutes to take effect. To see whether they work, test the connection.',
        ],
      };
    case 'declined':
      return {
        title: 'Consent was not granted',
        paragraphs: [
          outcome.why === 'cancelled'
            ? 'The request was canceled, or the account that you used cannot grant consent for the whole organization.'
            : causes.consent_declined.sentence,
          causes.consent_declined.fix,
          ...(outcome.microsoftCode ? [`Microsoft’s error code: ${outcome.microsoftCode}`] : []),
        ],
      };
    case 'wrongTenant':
      return {
        title: 'Consent came from another organization',
        paragraphs: [
          `The connection “${outcome.connection.name}” is registered for a different tenant, so it was not updated.`,
          'Ask for a new consent link and open it with an admin account of the registered tenant. To use the other organization, register a connection for it.',
        ],
      };
    case 'unknown':
      return {
        title: 'Nothing was changed',
        paragraphs: [
          'This page belongs to a consent link of Muster. The link is missing, unknown or expired, or it was already used.',
          'If you have just granted consent, test the connection: the test finds the new permissions. Otherwise, ask for a new link.',
        ],
      };
  }
}
