import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTokens } from '../../shared/adapters/entra/client-credential-tokens.ts';
import { createClouds } from '../../shared/adapters/entra/clouds.ts';
import type { Connection } from '../../shared/connections/connection.ts';
import type { TokenAnswer, Tokens } from '../../shared/connections/tokens.ts';
import { DomainError, isTransient } from '../../shared/kernel/errors.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { portOf } from '../support/port-of.ts';
import { aClientSecret, aConnection } from '../support/records.ts';
import { openSimulator, type SimulatorClient } from '../support/simulator-client.ts';
import { type AppInput, wingtip, wingtipApp, wingtipTenant } from '../support/wingtip.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

let client: SimulatorClient;
let tokens: Tokens;
/** How many seconds Muster's clock is ahead. */
let ahead: number;
let vault: { secret: Secret | undefined; isUnavailable: boolean; reads: string[] };

const now = () => new Date(Date.now() + ahead * 1000);
const connection = (change: Partial<Connection> = {}): Connection =>
  aConnection({
    cloud: 'simulator',
    tenantId: wingtip.id,
    clientId: wingtip.clientId,
    grantsChangedAt: new Date('2026-01-01T00:00:00Z'),
    ...change,
  });

function tokensOf(loginUrl: string, timeoutMs = 5000): Tokens {
  const clouds = createClouds({ loginUrl, graphUrl: loginUrl, imap: undefined, smtp: undefined });
  return createTokens({
    vault: {
      async get(name, version) {
        vault.reads.push(`${name} ${version}`);
        if (vault.isUnavailable) throw new DomainError('vault_unavailable', 'The vault is unavailable.');
        return vault.secret;
      },
    },
    certificates: { sign: async () => undefined },
    clouds: (cloud) => {
      const found = clouds(cloud);
      if (!found) throw new Error(cloud);
      return found;
    },
    clock: { now },
    timeoutMs,
  });
}

beforeAll(async () => {
  client = await openSimulator({ tenants: [wingtipTenant()] });
});
afterAll(() => client.close());
beforeEach(() => {
  given({});
  ahead = 0;
  vault = { secret: new Secret(wingtip.clientSecret), isUnavailable: false, reads: [] };
  tokens = tokensOf(client.simulator.loginUrl);
  client.simulator.world.requests.reset();
});

function given(app: Partial<AppInput>, more = {}): void {
  client.put(wingtipTenant({ apps: [wingtipApp(app)], ...more }));
}

/** How many token requests Entra has seen. */
const requests = () =>
  client.simulator.world.requests
    .counts()
    .filter(({ method, route }) => method === 'POST' && route.endsWith('/token'))
    .reduce((sum, { count }) => sum + count, 0);

const get = (more: Partial<Connection> = {}, audience: 'graph' | 'exchange' = 'graph') =>
  tokens.get(connection(more), audience);

function granted(answer: TokenAnswer) {
  if (!answer.granted) throw new Error(`refused: ${answer.refusal.code}`);
  return answer.value;
}
const tokenOf = async (answer: Promise<TokenAnswer>) => granted(await answer).token.reveal();
const codeOf = async (answer: Promise<TokenAnswer>) => {
  const told = await answer;
  return told.granted ? 'granted' : told.refusal.code;
};
const errorOf = async (answer: Promise<TokenAnswer>) =>
  answer.then(
    () => 'no error',
    (error: unknown) => error,
  );

describe('a token', () => {
  it('is requested once, and the vault is read once, however many callers ask at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => tokenOf(get())));
    expect(new Set(all).size).toBe(1);
    expect([requests(), vault.reads]).toEqual([1, ['conn_1 v1']]);
    await get();
    expect(requests()).toBe(1);
  });

  it('opens Graph, and its claims show what it grants', async () => {
    const { token, claims, expiresAt } = granted(await get());
    expect(claims).toEqual({
      tenantId: wingtip.id,
      audience: 'https://graph.microsoft.com',
      appId: wingtip.clientId,
      objectId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      roles: ['Mail.ReadWrite', 'Mail.Send', 'User.Read.All'],
    });
    expect((expiresAt.getTime() - Date.now()) / 1000).toBeGreaterThan(3590);
    expect((await client.graph('GET', '/users?$top=1', { token: token.reveal() })).status).toBe(200);
  });

  it('without any role is still a token', async () => {
    given({ grants: [] });
    expect(granted(await get()).claims.roles).toEqual([]);
  });

  it.each([-5 * MINUTE, 5 * MINUTE])(
    'is issued once, and renewed in time, if our clock is off by %s seconds',
    async (off) => {
      ahead = off;
      const first = await tokenOf(get());
      ahead = off + 45 * MINUTE;
      expect(await tokenOf(get())).toBe(first);
      ahead = off + 61 * MINUTE;
      expect(await tokenOf(get())).not.toBe(first);
      expect(requests()).toBe(2);
    },
  );

  it('differs for each audience, with one read of the vault', async () => {
    given({ grants: ['Mail.Send', 'IMAP.AccessAsApp'] });
    const [graph, exchange] = await Promise.all([get(), get({}, 'exchange')]);
    expect(granted(graph).claims).toMatchObject({ audience: 'https://graph.microsoft.com', roles: ['Mail.Send'] });
    expect(granted(exchange).claims).toMatchObject({
      audience: 'https://outlook.office365.com',
      roles: ['IMAP.AccessAsApp'],
    });
    expect([requests(), vault.reads.length]).toEqual([2, 1]);
  });

  it('is renewed some minutes before it expires, once for all callers', async () => {
    const first = await tokenOf(get());
    ahead = 3599 - 6 * MINUTE;
    expect(await tokenOf(get())).toBe(first);
    ahead = 3599 - 4 * MINUTE;
    const second = await Promise.all([tokenOf(get()), tokenOf(get()), tokenOf(get())]);
    expect(new Set(second).size).toBe(1);
    expect(second[0]).not.toBe(first);
    expect(requests()).toBe(2);
  });

  it('with a short lifetime is renewed in the last fifth of it', async () => {
    given({}, { tokenSeconds: 100 });
    const first = await tokenOf(get());
    ahead = 75;
    expect(await tokenOf(get())).toBe(first);
    ahead = 85;
    expect(await tokenOf(get())).not.toBe(first);
    expect(requests()).toBe(2);
  });

  it('stays in use while it is valid if it cannot be renewed', async () => {
    const first = await tokenOf(get());
    given({ tokenError: 'down' });
    ahead = 3599 - 3 * MINUTE;
    expect(await tokenOf(get())).toBe(first);
    ahead = 3599 - MINUTE / 2;
    expect(await errorOf(get())).toMatchObject({ code: 'microsoft_unavailable' });
  });

  it('is requested again if the grants are newer', async () => {
    given({ grants: [] });
    await get();
    given({ grants: ['Mail.Send'] });
    ahead = 30;
    const grantsChangedAt = new Date(now().getTime() - 5000);
    expect(granted(await get({ grantsChangedAt })).claims.roles).toEqual(['Mail.Send']);
    await get({ grantsChangedAt });
    expect(requests()).toBe(2);
  });

  it('is another one for a new version of the secret', async () => {
    await get();
    vault.secret = new Secret('not the one');
    expect(await codeOf(get({ credential: aClientSecret({ version: 'v2' }) }))).toBe('AADSTS7000215');
    expect(vault.reads).toEqual(['conn_1 v1', 'conn_1 v2']);
  });

  it('is forgotten on demand, together with the secret', async () => {
    const first = await tokenOf(get());
    tokens.forget('conn_2');
    expect(await tokenOf(get())).toBe(first);
    tokens.forget('conn_1');
    expect(await tokenOf(get())).not.toBe(first);
    expect([requests(), vault.reads.length]).toEqual([2, 2]);
  });

  it('is forgotten only if it was requested before the given instant', async () => {
    const before = now();
    const first = await tokenOf(get());
    tokens.forget('conn_1', before);
    expect(await tokenOf(get())).toBe(first);
    ahead = 10;
    tokens.forget('conn_1', now());
    expect(await tokenOf(get())).not.toBe(first);
    expect(vault.reads).toHaveLength(1);
  });
});

describe('the vault', () => {
  it('is read again after five minutes, for the next token, because no secret stays in memory for longer', async () => {
    await get();
    ahead = 4 * MINUTE;
    tokens.forget('conn_1', now());
    await get();
    expect([requests(), vault.reads.length]).toEqual([2, 1]);
    ahead = 6 * MINUTE;
    await get();
    expect([requests(), vault.reads.length]).toEqual([2, 1]);
    ahead = 3 * HOUR;
    await get();
    expect([requests(), vault.reads.length]).toEqual([3, 2]);
  });

  it('is asked again soon after it was unavailable, which is a transient error', async () => {
    vault.isUnavailable = true;
    const error = await errorOf(get());
    expect([isTransient(error), requests()]).toEqual([true, 0]);
    expect(error).toMatchObject({ code: 'vault_unavailable' });
    vault.isUnavailable = false;
    ahead = 3;
    expect(await codeOf(get())).toBe('granted');
  });

  it('without the secret leads to a refusal, and Entra is not asked', async () => {
    vault.secret = undefined;
    expect([await codeOf(get()), requests()]).toEqual(['secret_not_in_vault', 0]);
  });

  it('is asked again soon after it had no usable secret', async () => {
    vault.secret = undefined;
    await get();
    vault.secret = new Secret(wingtip.clientSecret);
    ahead = 6;
    expect(await codeOf(get())).toBe('granted');
  });
});

describe('a refusal', () => {
  it('is an answer with Microsoft’s code and trace ID, and without the secret', async () => {
    vault.secret = new Secret('not-the-one-8Q~');
    const answer = await get();
    expect(answer).toMatchObject({
      granted: false,
      refusal: {
        service: 'entra',
        status: 401,
        code: 'AADSTS7000215',
        family: 'invalid_client',
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    });
    expect(JSON.stringify(answer)).not.toContain('not-the-one');
  });

  it('is cached briefly, so that a burst asks once and a fix is noticed soon', async () => {
    given({ secrets: [{ value: wingtip.clientSecret, expiresAt: '2026-01-01T00:00:00Z' }] });
    const codes = await Promise.all([codeOf(get()), codeOf(get())]);
    ahead = 4;
    expect([...codes, await codeOf(get())]).toEqual(Array(3).fill('AADSTS7000222'));
    expect(requests()).toBe(1);
    given({});
    ahead = 6;
    expect(await codeOf(get())).toBe('granted');
  });

  it.each([
    ['an unknown tenant', { tenantId: '00000000-feed-4bad-8bad-000000000404' }, 'AADSTS90002'],
    ['an unknown app', { clientId: 'c3f6b9e4-8d50-4b7a-9e2f-90410d7c6e83' }, 'AADSTS700016'],
  ])('for %s keeps its number', async (_, more, code) => {
    expect(await codeOf(get(more))).toBe(code);
  });

  it.each(['AADSTS53003', 'AADSTS900432', 'AADSTS7000112', 'AADSTS999999'])(
    'keeps any number: %s',
    async (tokenError) => {
      given({ tokenError });
      expect(await codeOf(get())).toBe(tokenError);
    },
  );
});

describe('a transient failure', () => {
  it('by throttling lasts as long as Entra says, and Entra is not asked before', async () => {
    given({ tokenError: 'throttled' });
    const error = await errorOf(get());
    expect(error).toMatchObject({ code: 'microsoft_throttled', retryAfterSeconds: 60 });
    expect(isTransient(error)).toBe(true);
    ahead = 50;
    expect(await errorOf(get())).toMatchObject({ code: 'microsoft_throttled' });
    expect(requests()).toBe(1);
    given({});
    ahead = 61;
    expect(await codeOf(get())).toBe('granted');
  });

  it.each([
    ['seconds with a fraction', { retryAfterSeconds: 2.128 }, 3],
    ['nothing', { omitRetryAfter: true }, undefined],
  ])('by throttling rounds up and passes on: %s', async (_, throttle, seconds) => {
    given({ tokenError: 'throttled' }, { throttle });
    expect(await errorOf(get())).toMatchObject({ code: 'microsoft_throttled', retryAfterSeconds: seconds });
  });

  it('includes a loop that Entra detects', async () => {
    given({ tokenError: 'AADSTS50196' });
    expect(await errorOf(get())).toMatchObject({ code: 'microsoft_throttled', retryAfterSeconds: 60 });
  });

  it('of Entra costs one request, and another one some seconds later', async () => {
    given({ tokenError: 'down' });
    const errors = await Promise.all([errorOf(get()), errorOf(get())]);
    for (const error of errors) expect(error).toMatchObject({ code: 'microsoft_unavailable' });
    expect(requests()).toBe(1);
    given({});
    ahead = 3;
    expect(await codeOf(get())).toBe('granted');
  });

  it('includes a server that never answers, and a server that does not run', async () => {
    const silent = await listen();
    const { port } = silent;
    tokens = tokensOf(`https://127.0.0.1:${port}`, 150);
    expect(await errorOf(get())).toMatchObject({ code: 'microsoft_unavailable' });
    await silent.stop();
    tokens = tokensOf(`https://127.0.0.1:${port}`);
    expect(await errorOf(get())).toMatchObject({ code: 'microsoft_unavailable' });
  });
});

/** Accepts connections and never answers. */
async function listen(): Promise<{ port: number; stop: () => Promise<unknown> }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on('error', () => socket.destroy())));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: portOf(server),
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('tryOut', () => {
  it('asks every time, does not read the vault and caches nothing', async () => {
    const tryOut = (secret: string) =>
      codeOf(tokens.tryOut(connection(), { credential: aClientSecret(), secret: new Secret(secret) }, 'graph'));
    expect(await tryOut('guess')).toBe('AADSTS7000215');
    expect(await tryOut(wingtip.clientSecret)).toBe('granted');
    expect(await tryOut('guess')).toBe('AADSTS7000215');
    expect([requests(), vault.reads]).toEqual([3, []]);
    expect(await codeOf(get())).toBe('granted');
    expect(requests()).toBe(4);
  });
});

describe('a token', () => {
  it.each(['grantsChangedAt', 'provenAt'] as const)(
    'from before %s is not used again, because it carries no newer grants',
    async (field) => {
      const first = await tokens.get(connection(), 'graph');
      expect(await tokens.get(connection(), 'graph')).toBe(first);
      ahead += 2;
      const changed = connection({ [field]: now() });
      ahead += 1;
      const second = await tokens.get(changed, 'graph');
      expect(second).not.toBe(first);
      expect(await tokens.get(changed, 'graph')).toBe(second);
    },
  );

  it('from before an instant can be forgotten, while a later one stays', async () => {
    const first = await tokens.get(connection(), 'graph');
    tokens.forget('conn_1', new Date(now().getTime() - 60_000));
    expect(await tokens.get(connection(), 'graph')).toBe(first);
    ahead += 2;
    tokens.forget('conn_1', now());
    expect(await tokens.get(connection(), 'graph')).not.toBe(first);
    expect(vault.reads).toHaveLength(1);
  });
});
