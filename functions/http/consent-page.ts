import type { HttpResponseInit } from '@azure/functions';
import { causes } from '../../shared/causes/causes.ts';
import type { ConsentOutcome } from '../../shared/connections/consent.ts';
import { shownName } from '../../shared/connections/shown-name.ts';
import { escapeHtml, htmlPage } from './html-page.ts';

interface PageText {
  title: string;
  paragraphs: string[];
  /** The connection's name, which the customer chose. Stands apart from our own words, and says whose words it is. */
  connectionName?: string;
}

const NAME_LABEL = 'The name that was given to the connection when it was registered:';

/** The page that the admin sees after the consent dialog. It is not stored, because it names the connection. */
export function consentPage(outcome: ConsentOutcome): HttpResponseInit {
  const { title, paragraphs, connectionName } = textOf(outcome);
  const body = [
    ...paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`),
    ...(connectionName === undefined
      ? []
      : [`<p>${NAME_LABEL} <bdi>“${escapeHtml(shownName(connectionName))}”</bdi></p>`]),
  ].join('');
  const page = htmlPage(title, body);
  return { ...page, headers: { ...page.headers, 'cache-control': 'no-store' } };
}

function textOf(outcome: ConsentOutcome): PageText {
  switch (outcome.kind) {
    case 'consented':
      return {
        title: 'Consent granted',
        paragraphs: [
          'Thank you. Microsoft reports that you granted consent. You can close this page.',
          'The permissions may need a few minutes to take effect. To see whether they work, test the connection.',
        ],
        connectionName: outcome.connection.name,
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
          'The connection is registered for a different tenant, so it was not updated.',
          'Ask for a new consent link and open it with an admin account of the registered tenant. To use the other organization, register a connection for it.',
        ],
        connectionName: outcome.connection.name,
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
