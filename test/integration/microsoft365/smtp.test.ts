import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoggedRequest, RequestCount } from '../../../local/microsoft365/request-ledger.ts';
import {
  apps,
  Conversation,
  exchangeToken,
  fresh,
  inWeather,
  off,
  protocolScenario,
  refusedTokens,
  smtpClient,
  xoauth2,
} from '../../support/mail-protocols.ts';
import { at, openSimulator, type SimulatorClient, wingtip } from '../../support/simulator-client.ts';

let client: SimulatorClient;
let token: string;

/** Each enhanced status code as a mailbox's fault: what it says, and at which command. */
const senderFaults = [
  ['5.7.3', '535 5.7.3 Authentication unsuccessful [', 'AUTH XOAUTH2'],
  [
    '5.7.139',
    '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.',
    'AUTH XOAUTH2',
  ],
  ['5.7.30', '550 5.7.30 Basic authentication is not supported for Client Submission.', 'AUTH XOAUTH2'],
  ['5.7.57', '530 5.7.57 Client not authenticated to send mail.', 'MAIL FROM'],
  ['5.7.60', '550 5.7.60 SMTP; Client does not have permissions to send as this sender', 'MAIL FROM'],
  ['5.1.8', '550 5.1.8 Access denied, bad outbound sender', 'MAIL FROM'],
  ['5.7.705', '550 5.7.705 Access denied, tenant has exceeded threshold', 'MAIL FROM'],
  ['5.7.750', '550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains', 'MAIL FROM'],
  ['4.3.2', '432 4.3.2 Concurrent connections limit exceeded.', 'MAIL FROM'],
  ['5.9.9', '550 5.9.9 The request was refused.', 'MAIL FROM'],
] as const;

beforeAll(async () => {
  client = await openSimulator(
    protocolScenario([
      ...senderFaults.map(([code]) => ({ address: at(`fault-${code}`), fault: `error:${code}` })),
      { address: at('off'), smtpAuth: false },
      { address: at('threads'), fault: { code: '4.3.2', at: 'data' } },
      { address: at('late'), fault: { code: '5.1.8', at: 'rcpt', times: 1, status: 554, message: 'Of another day.' } },
      { address: at('down'), fault: 'down' },
      { address: at('smtp-down'), fault: 'error:SMTP.down' },
      { address: at('mute'), fault: 'noAnswer' },
      { address: at('garbled'), fault: 'garbage' },
      { address: at('dropped'), fault: 'error:SMTP.dropped' },
      { address: at('slow'), fault: 'slow' },
      { address: at('flaky'), fault: 'flaky' },
      { address: at('crowded') },
      { address: at('graph-only'), fault: 'error:ErrorAccessDenied' },
      { address: at('imap-only'), fault: 'error:IMAP.down' },
    ]),
  );
  token = await exchangeToken(client);
});
afterAll(() => client.close());

interface Refusal {
  response?: string;
  responseCode?: number;
  command?: string;
  code?: string;
}

/** Signs in with nodemailer: `true`, or how it was refused. */
async function signIn(user: string, accessToken = token): Promise<true | Refusal> {
  const transport = smtpClient(client, { user, accessToken });
  return await transport.verify().catch((error: Refusal) => error);
}

/** Sends with nodemailer, from the mailbox itself unless told otherwise. */
async function send(
  user: string,
  more: { from?: string; envelopeFrom?: string; to?: string; accessToken?: string } = {},
) {
  const { from = user, to = at('john'), envelopeFrom, accessToken = token } = more;
  const transport = smtpClient(client, { user, accessToken });
  const envelope = envelopeFrom === undefined ? {} : { envelope: { from: envelopeFrom, to } };
  return await transport
    .sendMail({ from, to, subject: `from ${user}`, text: '.leading dot\n..and two', ...envelope })
    .then(({ response }) => ({ response }) as Refusal)
    .catch((error: Refusal) => error);
}

const says = (text: string, command: string) => ({
  response: expect.stringContaining(text),
  responseCode: Number(text.slice(0, 3)),
  command,
});
const unsuccessful = says('535 5.7.3 Authentication unsuccessful [AM0PR04CA0042', 'AUTH XOAUTH2');

describe('nodemailer', () => {
  it.each([at('jane'), at('jdoe'), at('j.doe'), at('JANE')])('signs in as %s', async (user) => {
    expect(await signIn(user)).toBe(true);
  });

  it('sends a message, which arrives and leaves a copy in Sent Items', async () => {
    expect(await send(at('jane'), { to: at('john') })).toEqual({
      response: expect.stringMatching(/^250 2\.0\.0 OK </),
    });
    const { mail } = client.simulator.world;
    expect(mail.of(wingtip.id, at('john')).in('inbox')).toEqual([
      expect.objectContaining({
        subject: `from ${at('jane')}`,
        content: expect.objectContaining({
          body: { contentType: 'text', content: expect.stringContaining('.leading dot\n..and two') },
        }),
      }),
    ]);
    const own = mail.of(wingtip.id, at('jane'));
    expect(own.in('sentitems')).toHaveLength(1);
    expect(own.sent).toEqual([expect.objectContaining({ to: [at('john')], via: 'smtp' })]);
  });

  it.each(Object.keys(refusedTokens))('is refused with 5.7.3: %s', async (why) => {
    expect(await signIn(at('jane'), await refusedTokens[why]?.(client))).toMatchObject(unsuccessful);
  });

  it.each([
    ['no FullAccess for the app', at('scoped')],
    ["FullAccess for the registration's object id", at('strange')],
    ['an address that nobody has', at('nobody')],
    ['an address of another tenant', `excepted@${off.domain}`],
    ['an address on premises', at('factory')],
    ['a group', at('group')],
  ])('is refused with 5.7.3: %s', async (_why, user) => {
    expect(await signIn(user)).toMatchObject(unsuccessful);
  });

  it('is refused with 5.7.3 while the grants are on their way', async () => {
    const freshToken = await exchangeToken(client, apps.usual, fresh.id);
    expect(await signIn(`jane@${fresh.domain}`, freshToken)).toMatchObject(unsuccessful);
  });

  it('signs in by the role of RBAC for Applications alone, where it holds', async () => {
    const roleToken = await exchangeToken(client, apps.byRole);
    expect(await signIn(at('scoped'), roleToken)).toBe(true);
    expect(await signIn(at('john'), roleToken)).toMatchObject(unsuccessful);
  });

  it('needs FullAccess as soon as the permission is granted beside the role', async () => {
    const bothToken = await exchangeToken(client, apps.byRoleAndGrant);
    expect(await signIn(at('scoped'), bothToken)).toMatchObject(unsuccessful);
    expect(await signIn(at('jane'), bothToken)).toBe(true);
  });

  it('is told that authenticated SMTP is off for the tenant, unless the mailbox says otherwise', async () => {
    const offToken = await exchangeToken(client, apps.usual, off.id);
    const words =
      '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information.';
    expect(await signIn(`inherits@${off.domain}`, offToken)).toMatchObject(says(words, 'AUTH XOAUTH2'));
    expect(await signIn(`excepted@${off.domain}`, offToken)).toBe(true);
  });

  it('is told that authenticated SMTP is off for the mailbox', async () => {
    const words =
      '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more information.';
    expect(await signIn(at('off'))).toMatchObject(says(words, 'AUTH XOAUTH2'));
  });

  it.each([
    ['disabled', '535 5.7.139 Authentication unsuccessful, basic authentication is disabled.'],
    [
      'securityDefaults',
      "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults",
    ],
    ['retired', '550 5.7.30 Basic authentication is not supported for Client Submission.'],
  ] as const)('is told that passwords are refused: %s', async (basicAuth, words) => {
    const tenant = client.simulator.world.tenant(off.id);
    if (tenant) tenant.scenario.basicAuth = basicAuth;
    const transport = smtpClient(client, { user: `inherits@${off.domain}`, pass: 'password' });
    await expect(transport.verify()).rejects.toMatchObject(says(words, 'AUTH LOGIN'));
  });

  it.each([
    ['as somebody else', { envelopeFrom: at('john') }, 'MAIL FROM'],
    ['with somebody else in the header', { from: at('john'), envelopeFrom: at('jane') }, 'DATA'],
  ])('may not send %s', async (_how, more, command) => {
    const words = '550 5.7.60 SMTP; Client does not have permissions to send as this sender';
    expect(await send(at('jane'), more)).toMatchObject(says(words, command));
  });

  it.each(senderFaults)('meets %s: %s at %s', async (code, words, command) => {
    expect(await send(at(`fault-${code}`))).toMatchObject(says(words, command));
  });

  it.each(['5.7.705', '5.7.750'] as const)('meets %s at every mailbox of a tenant that is blocked', async (code) => {
    const tenant = client.simulator.world.tenant(wingtip.id);
    if (tenant) tenant.scenario.sendingBlocked = code;
    const refused = await send(at('jane'));
    if (tenant) delete tenant.scenario.sendingBlocked;
    expect(refused).toMatchObject(says(`550 ${code}`, 'MAIL FROM'));
  });

  it('meets the limit of threads when the message is handed over', async () => {
    const words = '432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded';
    expect(await send(at('threads'))).toMatchObject(says(words, 'DATA'));
  });

  it('meets a fault at the step, with the words and as often as the scenario says', async () => {
    const [first, second] = [await send(at('late')), await send(at('late'))];
    expect(first).toMatchObject({ response: expect.stringContaining('554 5.1.8 Of another day.') });
    expect(second.response).toMatch(/^250 /);
  });

  it.each([at('down'), at('smtp-down')])('is told that the service is not available: %s', async (user) => {
    expect(await signIn(user)).toMatchObject(says('421 4.3.2 Service not available', 'AUTH XOAUTH2'));
  });

  it.each([
    [at('dropped'), /^ECONNECTION$|^ESOCKET$|^EAUTH$/],
    [at('garbled'), /^EAUTH$|^EPROTOCOL$|^ECONNECTION$/],
    [at('mute'), /^ETIMEDOUT$/],
  ])('gets no answer at %s', async (user, code) => {
    expect(await signIn(user)).toMatchObject({ code: expect.stringMatching(code) });
  });

  it('gets through to a flaky mailbox now and then', async () => {
    const came = await Promise.all(Array.from({ length: 15 }, () => signIn(at('flaky'))));
    expect(came).toContain(true);
    expect(came.filter((one) => one !== true)).not.toEqual([]);
  });

  it.each([at('graph-only'), at('imap-only')])('feels nothing of a fault of other protocols: %s', async (user) => {
    expect(await signIn(user)).toBe(true);
  });
});

describe("a tenant's weather", () => {
  const user = `excepted@${off.domain}`;

  it.each([
    [{ throttled: 1 }, says('432 4.3.2 ', 'AUTH XOAUTH2')],
    [{ unavailable: 1 }, says('421 4.3.2 Service not available', 'AUTH XOAUTH2')],
    [{ garbage: 1 }, { code: expect.stringMatching(/^E/) }],
  ])('strikes whoever signs in: %o', async (rates, refusal) => {
    const offToken = await exchangeToken(client, apps.usual, off.id);
    expect(await inWeather(client, rates, () => signIn(user, offToken))).toMatchObject(refusal);
  });

  it('loses connections, at once or a step later', async () => {
    const offToken = await exchangeToken(client, apps.usual, off.id);
    const came = await inWeather(client, { dropped: 1 }, () =>
      Promise.all(Array.from({ length: 12 }, () => send(user, { accessToken: offToken }))),
    );
    expect(came.filter(({ code }) => code === undefined)).toEqual([]);
    const { items } = await client.control<{ items: RequestCount[] }>('/requests');
    const lost = items.filter(({ service, status }) => service === 'smtp' && status === 0).map(({ method }) => method);
    expect(lost).toEqual(expect.arrayContaining(['AUTH', 'MAIL']));
  });
});

describe('Graph', () => {
  it.each(['fault-5.1.8', 'fault-4.3.2', 'imap-only', 'smtp-down'])(
    'feels nothing of a fault of SMTP or IMAP: %s',
    async (name) => {
      expect((await client.graph('GET', `/users/${at(name)}/mailFolders/inbox`)).status).toBe(200);
    },
  );
});

describe('word by word', () => {
  const reply = /^\d{3} .*\r\n/m;
  const opened: Conversation[] = [];
  const converse = async () => {
    const conversation = await Conversation.smtp(client);
    opened.push(conversation);
    return conversation;
  };
  const enter = async (user: string) => {
    const conversation = await converse();
    await conversation.secure();
    expect(await conversation.ask(`AUTH XOAUTH2 ${xoauth2(user, token)}`, reply)).toBe(
      '235 2.7.0 Authentication successful\r\n',
    );
    return conversation;
  };
  afterAll(() => {
    for (const conversation of opened) conversation.close();
  });

  it('signing in is offered once TLS is on', async () => {
    const conversation = await converse();
    const before = await conversation.ask('EHLO client.example', /^250 /m);
    expect(before).toContain('STARTTLS');
    expect(before).not.toContain('AUTH');
    expect(await conversation.ask(`AUTH XOAUTH2 ${xoauth2(at('jane'), token)}`, reply)).toBe(
      '504 5.7.4 Unrecognized authentication type\r\n',
    );
    const after = await conversation.secure();
    expect(after).toMatch(/^250[ -]AUTH LOGIN XOAUTH2\r\n/m);
    expect(after).toMatch(/^250[ -]ENHANCEDSTATUSCODES\r\n/m);
    expect(after).not.toContain('STARTTLS');
  });

  it('AUTH without an initial response is asked for it', async () => {
    const conversation = await converse();
    await conversation.secure();
    expect(await conversation.ask('AUTH XOAUTH2', reply)).toBe('334 \r\n');
    expect(await conversation.ask(xoauth2(at('jane'), token), reply)).toBe('235 2.7.0 Authentication successful\r\n');
  });

  it('nobody sends without having signed in, before TLS and after', async () => {
    const conversation = await converse();
    const refusal = /^530 5\.7\.57 Client not authenticated to send mail\./;
    expect(await conversation.ask(`MAIL FROM:<${at('jane')}>`, reply)).toMatch(refusal);
    await conversation.secure();
    expect(await conversation.ask(`MAIL FROM:<${at('jane')}>`, reply)).toMatch(refusal);
  });

  it('the proof without sending: AUTH, MAIL FROM, RSET, QUIT', async () => {
    const conversation = await enter(at('john'));
    expect(await conversation.ask(`MAIL FROM:<${at('john')}>`, reply)).toBe('250 2.1.0 Sender OK\r\n');
    expect(await conversation.ask('RSET', reply)).toBe('250 2.0.0 Resetting\r\n');
    expect(await conversation.ask('QUIT', reply)).toBe('221 2.0.0 Service closing transmission channel\r\n');
    expect(client.simulator.world.mail.of(wingtip.id, at('john')).sent).toEqual([]);
  });

  it('more than three connections of a mailbox may not send at once', async () => {
    const many = await Promise.all(Array.from({ length: 4 }, () => enter(at('crowded'))));
    const submit = async (conversation: Conversation | undefined) => {
      await conversation?.ask(`MAIL FROM:<${at('crowded')}>`, reply);
      await conversation?.ask(`RCPT TO:<${at('john')}>`, reply);
      expect(await conversation?.ask('DATA', reply)).toBe('354 Start mail input; end with <CRLF>.<CRLF>\r\n');
      return await conversation?.ask('Subject: x\r\n\r\nx\r\n.', reply);
    };
    expect(await submit(many[3])).toMatch(
      /^432 4\.3\.2 Concurrent connections limit exceeded\. Visit https:\/\/aka\.ms\/concurrent_sending for more/,
    );
    await many[0]?.ask('QUIT', reply);
    await expect.poll(() => submit(many[3])).toMatch(/^250 2\.0\.0 OK/);
  });

  it.each([
    ['XYZZY', '500 5.3.3 Unrecognized command\r\n'],
    ['RCPT TO:<jane@wingtip.example>', '503 5.5.2 Need mail command\r\n'],
    ['DATA', '503 5.5.2 Need rcpt command\r\n'],
    ['MAIL FROM:jane', '501 5.5.4 Invalid arguments\r\n'],
    ['AUTH PLAIN', '503 5.5.2 Bad sequence of commands\r\n'],
    ['NOOP', '250 2.0.0 OK\r\n'],
  ])('signed in: %s', async (line, answer) => {
    expect(await (await enter(at('jane'))).ask(line, reply)).toBe(answer);
  });

  it.each([
    ['AUTH PLAIN', '504 5.7.4 Unrecognized authentication type\r\n'],
    ['AUTH XOAUTH2 bm90aGluZw==', expect.stringMatching(/^535 5\.7\.3 Authentication unsuccessful \[/)],
  ])('not signed in: %s', async (line, answer) => {
    const conversation = await converse();
    await conversation.secure();
    expect(await conversation.ask(line, reply)).toEqual(answer);
  });

  it('waits for a slow mailbox', async () => {
    const began = performance.now();
    await enter(at('slow'));
    expect(performance.now() - began).toBeGreaterThan(2000);
  });
});

describe('the request log', () => {
  it('counts each step and names tenant, app and mailbox, and never a token', async () => {
    const { items: before } = await client.control<{ items: LoggedRequest[] }>('/log');
    const last = before.at(-1)?.sequence ?? 0;
    await send(at('john'), { to: at('jane') });
    const { items } = await client.control<{ items: LoggedRequest[] }>(`/log?since=${last}`);
    // nodemailer does not wait for what QUIT is answered.
    const steps = items.filter(({ method }) => method !== 'QUIT');
    expect(steps.map(({ method, route, status }) => `${method} | ${route} | ${status}`)).toEqual([
      'EHLO | EHLO | 250',
      'STARTTLS | STARTTLS | 220',
      'EHLO | EHLO | 250',
      'AUTH | AUTH XOAUTH2 | 235',
      'MAIL | MAIL FROM | 250',
      'RCPT | RCPT TO | 250',
      'DATA | DATA | 250',
    ]);
    expect(items[4]).toMatchObject({
      service: 'smtp',
      tenantId: wingtip.id,
      clientId: apps.usual,
      mailbox: at('john'),
    });
    const counts = await client.control<{ items: RequestCount[] }>('/requests');
    expect(counts.items).toContainEqual(
      expect.objectContaining({ service: 'smtp', route: 'AUTH XOAUTH2', status: 535 }),
    );
    expect(JSON.stringify([items, counts])).not.toContain(token.slice(0, 20));
  });
});

describe('a scenario', () => {
  it('that names a fault which is none of IMAP or SMTP is told so', async () => {
    await expect(
      openSimulator(protocolScenario([{ address: at('x'), fault: 'error:IMAP.notConected' }])),
    ).rejects.toThrow(/mailboxes\.\d+\.fault: .*IMAP\.notConnected/);
  });
});

describe('closing', () => {
  it('ends every connection, those in mid-handshake too', async () => {
    const own = await openSimulator(protocolScenario());
    const conversations = [
      await Conversation.imap(own),
      await Conversation.smtp(own),
      await Conversation.smtp(own),
      await Conversation.smtp(own),
    ];
    await conversations[2]?.secure();
    await conversations[3]?.ask('STARTTLS', /^220 /m);
    await own.close();
    await Promise.all(conversations.map((conversation) => conversation.until(/never/)));
    expect(conversations.map(({ isOver }) => isOver)).toEqual([true, true, true, true]);
  });
});
