import { causes } from '../../../shared/causes/causes.ts';
import { CONSENT_ROLES } from '../../../shared/causes/consent-roles.ts';
import type { ConsentOutcome } from '../../../shared/connections/consent/consent.ts';
import type { DeclineReason } from '../../../shared/connections/consent/consent-answer.ts';
import { shownName } from '../../../shared/connections/consent/shown-name.ts';
import type { SignInOutcome } from '../../../shared/connections/consent/sign-in.ts';
import type { Problem } from '../../../shared/edge/answers/problem.ts';
import type { Sign } from '../pages/html-page.ts';

/** What the admin is shown. The other outcome leads on to the sign-in. */
export type ShownOutcome = Exclude<ConsentOutcome, { kind: 'toSignIn' }> | SignInOutcome;

/** What the pages of consent say. */
export interface PageText {
  sign: Sign;
  title: string;
  paragraphs: string[];
  /** Names and values that others have chosen. */
  facts?: { label: string; text: string }[];
  /** Posts to this path, once the box beside `agreement` is checked. */
  button?: { label: string; path: string; agreement: string };
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
    'Ask an administrator which policy has blocked you. In the Entra admin center, Monitoring & health > Sign-in logs names it at your last sign-in.',
    'Meet its conditions, for example use a managed device, or use an administrator’s account that it does not block.',
    NEW_LINK,
  ],
  refused: [
    NEW_LINK,
    'Open it with the account of an administrator, and choose Accept.',
    `If Microsoft refuses again, give its error code to ${SENDER}.`,
  ],
};

/** With the app of the service, consent alone is not enough. */
const confirmSteps = [
  NEW_LINK,
  'Open it, and sign in again. Microsoft does not forget a consent that you have granted.',
  'On the last page, check the box and choose Confirm. Until then, the customer has no access.',
];

/** For an admin who may not know Muster, and has opened a link that somebody has sent. */
export function consentText(outcome: ShownOutcome): PageText {
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
        next: {
          steps: isOfApp ? [`Tell ${SENDER} what this page says.`, causes[cause].fix, NEW_LINK] : stepsByReason[why],
        },
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
        next: outcome.isUnconfirmed
          ? { steps: confirmSteps }
          : {
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
        next: outcome.isUnconfirmed
          ? { steps: confirmSteps }
          : {
              choices: [
                'If you have just granted consent, it counts at Microsoft: the connection test finds the permissions.',
                `Otherwise, ask ${SENDER} for a new link.`,
              ],
            },
      };
    case 'unknown':
      return unknown;
    case 'toConfirm': {
      const { connection, customerName, confirmPath } = outcome;
      return {
        sign: 'note',
        title: 'Who may use your organization’s mailboxes?',
        paragraphs: [
          'You have granted consent to our app. One step is left: confirm that this customer of ours may use it. The customer can then do in your organization everything that you have just consented to.',
        ],
        facts: [
          { label: 'Customer', text: shownName(customerName) },
          { label: 'Your organization', text: connection.tenantDomain ?? connection.tenantId },
          { label: 'Name of the connection, chosen by the customer', text: shownName(connection.name) },
        ],
        next: {
          choices: [
            'If you know this customer and want it to have this access, check the box and confirm.',
            'If you do not, close this page: the customer gets no access. To withdraw the consent as well, open Enterprise applications in the Entra admin center, and delete our app.',
          ],
        },
        button: {
          label: 'Confirm',
          path: confirmPath,
          agreement: 'I know this customer, and it may use the mailboxes of my organization.',
        },
      };
    }
    case 'notAdmin':
      return {
        sign: 'bad',
        title: 'An administrator must confirm',
        paragraphs: [
          'You have signed in with an account that is neither a Global Administrator nor a Privileged Role Administrator, so nothing was changed.',
        ],
        next: {
          steps: [
            'If such a role is assigned to you for a limited time only, activate it first.',
            NEW_LINK,
            'Open it with the account of such an administrator, or send it to one.',
          ],
        },
        connectionName: outcome.connection.name,
      };
    case 'rolesHidden':
      return {
        sign: 'bad',
        title: 'We could not see your role',
        paragraphs: [
          'Microsoft did not tell us whether you are an administrator, because our app is not set up for that. Nothing was changed. This is a problem of ours.',
        ],
        next: { steps: [`Tell ${SENDER} to contact us.`] },
        connectionName: outcome.connection.name,
      };
    case 'signInRefused':
      return {
        sign: 'bad',
        title: 'The sign-in could not be completed',
        paragraphs: ['Microsoft did not accept our request, so nothing was changed.'],
        next: { steps: [NEW_LINK, `If it happens again, tell ${SENDER} to contact us, with Microsoft’s error code.`] },
        ...(outcome.microsoftCode !== undefined && { reference: `Microsoft’s error code: ${outcome.microsoftCode}` }),
        connectionName: outcome.connection.name,
      };
    case 'signInIncomplete':
      return {
        sign: 'note',
        title: 'The sign-in was not finished',
        paragraphs: [
          'Microsoft had a problem of its own, or did not say who you are. Nobody has confirmed yet who may use your organization’s mailboxes.',
        ],
        next: { steps: ['Wait a few minutes.', ...confirmSteps] },
        ...(outcome.microsoftCode !== undefined && { reference: `Microsoft’s error code: ${outcome.microsoftCode}` }),
      };
    case 'signInUnfinished':
      return {
        sign: 'note',
        title: 'Microsoft did not answer',
        paragraphs: ['You have signed in, but Microsoft did not tell us so in time. Nothing was changed yet.'],
        next: {
          steps: [
            'Wait a minute, and then reload this page.',
            `If the page stays the same, ask ${SENDER} for a new link.`,
          ],
        },
      };
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
