import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { ImapFlow } from 'imapflow';
import nodemailer from 'nodemailer';
import type { ScenarioInput, ScenarioTenantInput } from '../../local/microsoft365/scenario.ts';
import { type TokenClaims, TokenIssuer } from '../../local/microsoft365/token-issuer.ts';
import { type AppInput, at, type SimulatorClient, wingtip, wingtipApp, wingtipTenant } from './simulator-client.ts';

export const exchange = 'https://outlook.office365.com';

/** Apps of the tenant, each with rights of its own. */
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

/** Another tenant, whose grants have not reached Exchange yet. */
export const fresh = { id: '7d2b1c90-4e8f-4a35-9b61-0c5f8e3d2a17', domain: 'fresh.example' };
/** Where authenticated SMTP is off for everybody who has no exception. */
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

/** A token for Exchange Online of one of the tenant's apps, asked for as any client does. */
export async function exchangeToken(
  client: SimulatorClient,
  clientId: string = apps.usual,
  tenant: string = wingtip.id,
): Promise<string> {
  const told = await client.askToken({ scope: `${exchange}/.default`, client_id: clientId }, { tenant });
  if (!told.body.access_token) throw new Error(`no token: ${told.text}`);
  return told.body.access_token;
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

/** Lets a share of a tenant's conversations go wrong while something is done. */
export async function inWeather<T>(
  { simulator }: SimulatorClient,
  rates: { throttled?: number; unavailable?: number; dropped?: number; garbage?: number },
  act: () => Promise<T>,
): Promise<T> {
  const tenant = simulator.world.tenant(off.id);
  if (!tenant) throw new Error('no such tenant');
  const none = { throttled: 0, unavailable: 0, dropped: 0, garbage: 0, seed: 1, retryAfterSeconds: 1 };
  tenant.scenario.faultRates = { ...none, ...rates };
  try {
    return await act();
  } finally {
    tenant.scenario.faultRates = null;
  }
}

/** Tokens that Exchange Online refuses, and why. */
export const refusedTokens: Record<string, (client: SimulatorClient) => Promise<string>> = {
  "a token of Graph's": (client) => client.token(),
  'an expired token': ({ simulator }) =>
    simulator.world.tokens.sign(claimsOf({ exp: Math.floor(Date.now() / 1000) - 60 })),
  'a forged token': () => new TokenIssuer().sign(claimsOf()),
  'no token at all': async () => 'nonsense',
  "another tenant's token": (client) => exchangeToken(client, apps.usual, off.id),
  'an app without the permission': (client) => exchangeToken(client, apps.withoutGrants),
  'a permission not consented to': (client) => exchangeToken(client, apps.notConsented),
  'a permission taken away since': ({ simulator }) =>
    simulator.world.tokens.sign(claimsOf({ appid: apps.withoutGrants })),
  'an app without a service principal': ({ simulator }) =>
    simulator.world.tokens.sign(claimsOf({ appid: apps.absent })),
};

export const xoauth2 = (user: string, token: string): string =>
  Buffer.from(`user=${user}\u0001auth=Bearer ${token}\u0001\u0001`).toString('base64');

/** imapflow as it comes, trusting the simulator's certificate as this process does. */
export function imapClient(
  { simulator }: SimulatorClient,
  auth: { user: string; accessToken: string } | { user: string; pass: string },
): ImapFlow {
  const client = new ImapFlow({ ...simulator.imap, secure: true, auth, logger: false });
  // Whoever awaits a call hears of it there.
  client.on('error', () => undefined);
  return client;
}

/** nodemailer as it comes. */
export function smtpClient(
  { simulator }: SimulatorClient,
  auth: { user: string; accessToken: string } | { user: string; pass: string },
) {
  return nodemailer.createTransport({
    ...simulator.smtp,
    secure: false,
    requireTLS: true,
    auth: 'pass' in auth ? auth : { type: 'OAuth2', ...auth },
    greetingTimeout: 5000,
    socketTimeout: 1000,
  });
}

/** What was said, word by word, to a server and by it. */
export class Conversation {
  #socket: net.Socket;
  #heard = '';

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    this.#listen();
  }

  static async imap({ simulator }: SimulatorClient): Promise<Conversation> {
    const socket = tls.connect(simulator.imap);
    const conversation = new Conversation(socket);
    await conversation.until(/ready/);
    return conversation;
  }

  /** After the first EHLO, before TLS. */
  static async smtp({ simulator }: SimulatorClient): Promise<Conversation> {
    const conversation = new Conversation(net.connect(simulator.smtp));
    await conversation.until(/^220 /m);
    await conversation.ask('EHLO client.example', /^250 /m);
    return conversation;
  }

  /** Says STARTTLS and EHLO again. */
  async secure(): Promise<string> {
    await this.ask('STARTTLS', /^220 /m);
    this.#socket.removeAllListeners('data');
    this.#socket = tls.connect({ socket: this.#socket, host: '127.0.0.1' });
    this.#listen();
    return await this.ask('EHLO client.example', /^250 /m);
  }

  /** Everything heard from now until it matches, or until the end. */
  async ask(line: string, until: RegExp, withinMs?: number): Promise<string> {
    this.#heard = '';
    this.#socket.write(`${line}\r\n`);
    return await this.until(until, withinMs);
  }

  async until(wanted: RegExp, withinMs = 3000): Promise<string> {
    while (!wanted.test(this.#heard) && !this.#socket.destroyed) {
      const over = new AbortController();
      const timer = setTimeout(() => over.abort(), withinMs);
      const { signal } = over;
      try {
        await Promise.race([once(this.#socket, 'data', { signal }), once(this.#socket, 'close', { signal })]);
      } finally {
        clearTimeout(timer);
        over.abort();
      }
    }
    return this.#heard;
  }

  get isOver(): boolean {
    return this.#socket.destroyed;
  }

  close(): void {
    this.#socket.destroy();
  }

  #listen(): void {
    this.#socket.on('error', () => undefined);
    this.#socket.on('data', (chunk: Buffer) => {
      this.#heard += chunk.toString('utf8');
    });
  }
}
