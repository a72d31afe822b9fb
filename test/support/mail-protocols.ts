import { ImapFlow } from 'imapflow';
import nodemailer from 'nodemailer';
import type { SMTPConnectionCustomAuthCommandCallback } from 'nodemailer/lib/smtp-connection';
import type { ScenarioInput, ScenarioTenantInput } from '../../local/microsoft365/scenario.ts';
import { type TokenClaims, TokenIssuer } from '../../local/microsoft365/token-issuer.ts';
import type { SimulatorClient } from './simulator-client.ts';
import { type AppInput, at, wingtip, wingtipApp, wingtipTenant } from './wingtip.ts';

export const exchange = 'https://outlook.office365.com';

/** The apps of the Wingtip tenant that use IMAP and SMTP, each with different rights. */
export const apps = {
  usual: wingtip.clientId,
  withoutGrants: 'b2e5a8d3-7c4f-4a69-8d1e-8f309c6b5d72',
  notConsented: 'c3f6b9e4-8d50-4b7a-9e2f-90410d7c6e83',
  byRole: 'd407caf5-9e61-4c8b-af30-a1521e8d7f94',
  byRoleAndGrant: 'e518db06-af72-4d9c-b041-b2632f9e80a5',
  absent: 'f629ec17-b083-4ead-8152-c374300f91b6',
} as const;

const grants = ['IMAP.AccessAsApp', 'SMTP.SendAsApp'];
const app = (clientId: string, more: Partial<AppInput> = {}) => ({ ...wingtipApp({ grants, ...more }), clientId });
const rbac = [{ role: 'Application SMTP.SendAsApp', members: [at('jane'), at('scoped')] }];

/** A tenant whose grants have not reached Exchange yet. */
export const fresh = { id: '7d2b1c90-4e8f-4a35-9b61-0c5f8e3d2a17', domain: 'fresh.example' };
/** A tenant that disables authenticated SMTP, except for one mailbox. */
export const off = { id: '8e3c2da1-5f90-4b46-ac72-1d609f4e3b28', domain: 'off.example' };

export function protocolScenario(mailboxes: ScenarioTenantInput['mailboxes'] = []): ScenarioInput {
  const fullAccess = Object.values(apps);
  const usual = app(apps.usual, { grants: [...grants, 'Mail.ReadWrite', 'Mail.Send'] });
  return {
    tenants: [
      wingtipTenant({
        apps: [
          usual,
          app(apps.withoutGrants, { grants: ['Mail.Send'] }),
          app(apps.notConsented, { consent: 'none' }),
          app(apps.byRole, { grants: [], rbac }),
          app(apps.byRoleAndGrant, { rbac }),
          app(apps.absent, { consent: 'absent' }),
        ],
        mailboxes: [
          { address: at('jane'), upn: at('jdoe'), aliases: [at('j.doe')], fullAccess },
          { address: at('john'), fullAccess },
          { address: at('scoped') },
          { address: at('strange'), fullAccess: ['0b0e1d2c-3f4a-4b5c-8d6e-7f8091a2b3c4'] },
          ...mailboxes.map((mailbox) => ({ fullAccess, ...mailbox })),
        ],
        recipients: [
          { address: at('factory'), kind: 'onPremises' },
          { address: at('newcomer'), kind: 'unlicensed' },
          { address: at('leaver'), kind: 'disabled' },
          { address: at('group'), kind: 'group' },
          { address: at('deleted'), kind: 'softDeleted' },
        ],
      }),
      {
        id: fresh.id,
        name: 'Fresh',
        domains: [fresh.domain],
        apps: [usual],
        mailboxes: [{ address: `jane@${fresh.domain}`, fullAccess: [apps.usual] }],
        propagation: { seconds: 600 },
      },
      {
        id: off.id,
        name: 'Off',
        domains: [off.domain],
        apps: [usual],
        smtpAuthDisabled: true,
        basicAuth: 'retired',
        mailboxes: [
          { address: `inherits@${off.domain}`, fullAccess: [apps.usual] },
          { address: `excepted@${off.domain}`, fullAccess: [apps.usual], smtpAuth: true },
        ],
      },
    ],
  };
}

/** Requests a token for Exchange Online for one of the apps. */
export async function exchangeToken(
  client: SimulatorClient,
  clientId: string = apps.usual,
  tenant: string = wingtip.id,
): Promise<string> {
  const result = await client.askToken({ scope: `${exchange}/.default`, client_id: clientId }, { tenant });
  if (!result.body.access_token) throw new Error(`no token: ${result.text}`);
  return result.body.access_token;
}

export function claimsOf(more: Partial<TokenClaims> = {}): TokenClaims {
  const now = Math.floor(Date.now() / 1000);
  return {
    aud: exchange,
    iss: `https://sts.windows.net/${wingtip.id}/`,
    tid: wingtip.id,
    appid: apps.usual,
    roles: grants,
    iat: now - 60,
    nbf: now - 60,
    exp: now + 3600,
    ...more,
  };
}

/** Runs `act` while a share of the conversations with the tenant `off` fails at random. */
export async function withRandomFailures<T>(
  { simulator }: SimulatorClient,
  rates: { throttled?: number; unavailable?: number; dropped?: number; garbage?: number },
  act: () => Promise<T>,
): Promise<T> {
  const tenant = simulator.world.tenant(off.id);
  if (!tenant) throw new Error(`The simulator has no tenant ${off.id}.`);
  const none = { throttled: 0, unavailable: 0, dropped: 0, garbage: 0, seed: 1, retryAfterSeconds: 1 };
  tenant.scenario.faultRates = { ...none, ...rates };
  try {
    return await act();
  } finally {
    tenant.scenario.faultRates = null;
  }
}

/** Tokens that Exchange Online refuses, by the reason. */
export const refusedTokens: [reason: string, token: (client: SimulatorClient) => Promise<string>][] = [
  ['a token for Graph', (client) => client.token()],
  [
    'an expired token',
    ({ simulator }) => simulator.world.tokens.sign(claimsOf({ exp: Math.floor(Date.now() / 1000) - 60 })),
  ],
  ['a forged token', () => new TokenIssuer().sign(claimsOf())],
  ['text that is not a token', async () => 'nonsense'],
  ["another tenant's token", (client) => exchangeToken(client, apps.usual, off.id)],
  ['an app without the permission', (client) => exchangeToken(client, apps.withoutGrants)],
  ['a permission without consent', (client) => exchangeToken(client, apps.notConsented)],
  [
    'a permission that was removed after the token was issued',
    ({ simulator }) => simulator.world.tokens.sign(claimsOf({ appid: apps.withoutGrants })),
  ],
  [
    'an app without a service principal',
    ({ simulator }) => simulator.world.tokens.sign(claimsOf({ appid: apps.absent })),
  ],
];

export const xoauth2 = (user: string, token: string): string =>
  Buffer.from(`user=${user}\u0001auth=Bearer ${token}\u0001\u0001`).toString('base64');

type Credentials = { user: string; accessToken: string } | { user: string; pass: string };

/** An imapflow client for the simulator, with imapflow's default settings. */
export function imapClient({ simulator }: SimulatorClient, auth: Credentials): ImapFlow {
  const client = new ImapFlow({ ...simulator.imap, secure: true, auth, logger: false });
  // Without a listener the event would throw. The call that fails rejects anyway.
  client.on('error', () => undefined);
  return client;
}

/** Our own name. Under `XOAUTH2`, nodemailer looks for a token of its own. */
const METHOD = 'TOKEN';
/** The command that nodemailer names in its error if the sign-in is refused. */
export const signInCommand = `AUTH ${METHOD}`;

/**
 * A nodemailer transport to the simulator. nodemailer's own XOAUTH2 sends the token on the line of the command, which is
 * too long for that.
 */
export function smtpClient({ simulator }: SimulatorClient, auth: Credentials) {
  return nodemailer.createTransport({
    ...simulator.smtp,
    secure: false,
    requireTLS: true,
    ...('pass' in auth
      ? { auth }
      : {
          auth: { type: 'custom', method: METHOD, user: auth.user },
          customAuth: {
            // With callbacks, because a server that is not available closes the connection right after its reply.
            [METHOD]: ({ sendCommand, resolve, reject }) => {
              const answer: SMTPConnectionCustomAuthCommandCallback = (_, reply) =>
                reply?.status === 235 ? resolve() : reject(new Error(reply?.response));
              sendCommand('AUTH XOAUTH2', (error, reply) =>
                reply?.status === 334
                  ? sendCommand(xoauth2(auth.user, auth.accessToken), answer)
                  : answer(error, reply),
              );
            },
          },
        }),
    greetingTimeout: 5000,
    socketTimeout: 1000,
  });
}
