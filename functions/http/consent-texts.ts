import { causes } from '../../shared/causes/causes.ts';
import { CONSENT_ROLES } from '../../shared/causes/consent-roles.ts';
import type { ConsentOutcome } from '../../shared/connections/consent.ts';
import type { DeclineReason } from '../../shared/connections/consent-answer.ts';
import type { Problem } from '../../shared/edge/problem.ts';
import type { Sign } from './html-page.ts';

/** What the page of the consent callback says. */
export interface PageText {
  sign: Sign;
  title: string;
  paragraphs: string[];
  /** What to do next: one after the other, or what fits. */
  next: { steps: string[] } | { choices: string[] };
  /** Microsoft's page about it. */
  link?: string;
  /** Of Microsoft, or the ID of the request: what support asks for. */
  reference?: string;
  /** The connection's name, which the customer chose. Stands apart from our own words, and says whose words it is. */
  connectionName?: string;
}

const SENDER = 'the person who sent you the link';
const NEW_LINK = `Ask ${SENDER} for a new link. Each link works once.`;

const unknown: PageText = {
  sign: 'note',
  title: 'This link is not known',
  paragraphs: [
    'This page shows how a request for consent has ended. Its address belongs to no request that we know. Nothing was changed.',
  ],
  next: {
    choices: [
      'If you granted consent in the Entra admin center, you are done, and you can close this page.',
      `If you came here from a link that somebody sent you, ask ${SENDER} for a new one.`,
    ],
  },
};

/** What helps against each reason, before the new link is opened. */
const stepsByReason: Record<DeclineReason, string[]> = {
  cancelled: [
    NEW_LINK,
    `Open it with an account that can grant consent for the whole organization, and choose Accept. ${CONSENT_ROLES}`,
  ],
  needsAdmin: [
    NEW_LINK,
    `Open it with the account of an administrator, or send it to one, and choose Accept. ${CONSENT_ROLES}`,
  ],
  onlyAdmins: [
    NEW_LINK,
    `Send it to an administrator of the organization, who opens it and chooses Accept. ${CONSENT_ROLES}`,
  ],
  foreignAccount: [
    NEW_LINK,
    'Open it in a private browser window, so that Microsoft asks who you are.',
    'Sign in with an administrator’s account of the organization that the connection is registered for, and choose Accept.',
  ],
  blockedByPolicy: [
    'In the Entra admin center, open Sign-in logs and look at your last sign-in. It names the policy that blocked you.',
    'Meet its conditions, for example use a managed device, or use an administrator’s account that it does not block.',
    NEW_LINK,
  ],
  refused: [
    NEW_LINK,
    'Open it with the account of an administrator, and choose Accept.',
    `If Microsoft refuses again, give its error code to ${SENDER}.`,
  ],
};

/** For an admin who may not know Muster, and has opened a link that somebody has sent. */
export function consentText(outcome: ConsentOutcome): PageText {
  switch (outcome.kind) {
    case 'consented':
      return {
        sign: 'good',
        title: 'Consent granted',
        paragraphs: ['Thank you. Microsoft reports that you granted consent. You can close this page.'],
        next: {
          choices: [
            `Tell ${SENDER} that you have granted consent, so that the connection can be tested.`,
            'If the test does not pass immediately, try it again later: Microsoft may need a few minutes until new permissions take effect.',
          ],
        },
        connectionName: outcome.connection.name,
      };
    case 'declined': {
      const { cause, sentence, why, isOfApp, microsoftCode } = outcome;
      return {
        sign: 'bad',
        title: 'Consent was not granted',
        paragraphs: [sentence],
        next: { steps: isOfApp ? [causes[cause].fix, NEW_LINK] : stepsByReason[why] },
        link: causes[cause].link,
        ...(microsoftCode !== undefined && { reference: `Microsoft’s error code: ${microsoftCode}` }),
      };
    }
    case 'wrongTenant':
      return {
        sign: 'bad',
        title: 'Consent came from another organization',
        paragraphs: ['The connection is registered for a different organization, so it was not updated.'],
        next: {
          choices: [
            `To use the registered organization: ask ${SENDER} for a new link, and open it with an administrator’s account of that organization.`,
            'To use the other organization: register a connection for it.',
          ],
        },
        connectionName: outcome.connection.name,
      };
    case 'unfinished':
      return {
        sign: 'note',
        title: 'Microsoft could not finish the request',
        paragraphs: ['Microsoft had a problem of its own, so nothing was decided. The link still works.'],
        next: { steps: ['Wait a few minutes.', 'Open the same link again, and choose Accept.'] },
        ...(outcome.microsoftCode !== undefined && { reference: `Microsoft’s error code: ${outcome.microsoftCode}` }),
      };
    case 'incomplete':
      return {
        sign: 'note',
        title: 'The answer is incomplete',
        paragraphs: [
          'The address of this page does not say what you decided. Nothing was changed. The link still works.',
        ],
        next: { choices: ['Open the link again, and let Microsoft send you back here.'] },
      };
    case 'used':
      return {
        sign: 'note',
        title: 'This link has been used',
        paragraphs: ['Each link works once. Nothing was changed this time.'],
        next: {
          choices: [
            'If you have just granted consent and reloaded this page, you are done, and you can close it.',
            `Otherwise, ask ${SENDER} for a new link.`,
          ],
        },
      };
    case 'expired':
      return {
        sign: 'note',
        title: 'This link has expired',
        paragraphs: ['A link works for a limited time. Nothing was changed here.'],
        next: {
          choices: [
            'If you have just granted consent, it counts at Microsoft: the connection test finds the permissions.',
            `Otherwise, ask ${SENDER} for a new link.`,
          ],
        },
      };
    case 'unknown':
      return unknown;
  }
}

/** In place of a problem, such as that our storage is unavailable. */
export function consentProblemText({ status, requestId }: Problem): PageText {
  const reference = `Request ID: ${requestId}`;
  if (status < 429) return { ...unknown, reference };
  return {
    sign: 'note',
    title: status === 429 ? 'Too many requests' : 'We could not record the answer',
    paragraphs: [
      status === 429
        ? 'Many requests have come from your network in a short time, so this one was not answered.'
        : 'Microsoft has sent you back to us, but a part of our service is unavailable at the moment.',
    ],
    next: {
      steps: [
        'Wait a minute, and then reload this page.',
        `If the page stays the same, tell ${SENDER}. Consent that you have granted at Microsoft is not lost.`,
      ],
    },
    reference,
  };
}
