import { describe, expect, it } from 'vitest';
import type { LoggedRequest, RequestCount } from '../../../local/microsoft365/request-ledger.ts';
import { conversations, MailConversation } from '../../support/mail-conversation.ts';
import {
  apps,
  exchangeToken,
  fresh,
  off,
  protocolScenario,
  refusedTokens,
  signInCommand,
  smtpClient,
  withRandomFailures,
  xoauth2,
} from '../../support/mail-protocols.ts';
import { startSimulatedTenant } from '../../support/simulator-client.ts';
import { at, wingtip } from '../../support/wingtip.ts';

/** Enhanced status codes as mailbox faults: the code, the start of the reply, and the command that gets it. */
const senderFaults = [
  ['5.7.3', '535 5.7.3 Authentication unsuccessful [', signInCommand],
  [
    '5.7.139',
    '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.',
    signInCommand,
  ],
  ['5.7.30', '550 5.7.30 Basic authentication is not supported for Client Submission.', signInCommand],
  ['5.7.57', '530 5.7.57 Client not authenticated to send mail.', 'MAIL FROM'],
  ['5.7.60', '550 5.7.60 SMTP; Client does not have permissions to send as this sender', 'MAIL FROM'],
  ['5.1.8', '550 5.1.8 Access denied, bad outbound sender', 'MAIL FROM'],
  ['5.7.705', '550 5.7.705 Access denied, tenant has exceeded threshold', 'MAIL FROM'],
  ['5.7.750', '550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains', 'MAIL FROM'],
  ['4.3.2', '432 4.3.2 Concurrent connections limit exceeded.', 'MAIL FROM'],
  ['5.9.9', '550 5.9.9 The request was refused.', 'MAIL FROM'],
] as const;

const client = await startSimulatedTenant(
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
const token = await exchangeToken(client);

/** What nodemailer returns for a sent message, or has on its errors. */
interface SmtpResult {
  response?: string;
  responseCode?: number;
  command?: string;
  code?: string;
}

/** Signs in with nodemailer. Resolves to `true`, or to the refusal. */
async function signIn(user: string, accessToken = token): Promise<true | SmtpResult> {
  const transport = smtpClient(client, { user, accessToken });
  return await transport.verify().catch((error: SmtpResult) => error);
}

/** Sends with nodemailer. The sender is the mailbox itself, unless `from` or `envelopeFrom` says otherwise. */
async function send(
  user: string,
  more: { from?: string; envelopeFrom?: string; to?: string; accessToken?: string } = {},
): Promise<SmtpResult> {
  const { from = user, to = at('john'), envelopeFrom, accessToken = token } = more;
  const transport = smtpClient(client, { user, accessToken });
  const envelope = envelopeFrom === undefined ? {} : { envelope: { from: envelopeFrom, to } };
  return await transport
    .sendMail({ from, to, subject: `from ${user}`, text: '.leading dot\n..and two', ...envelope })
    .then(({ response }) => ({ response }))
    .catch((error: SmtpResult) => error);
}

/** The refusal with this reply to this command. */
const refusal = (text: string, command: string) => ({
  response: expect.stringContaining(text),
  responseCode: Number(text.slice(0, 3)),
  command,
});
const unsuccessful = refusal('535 5.7.3 Authentication unsuccessful [AM0PR04CA0042', signInCommand);

describe('nodemailer', () => {
  it.each([at('jane'), at('jdoe'), at('j.doe'), at('JANE')])('signs in as %s', async (user) => {
    expect(await signIn(user)).toBe(true);
  });

  it('sends a message that arrives and leaves a copy in Sent Items', async () => {
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

  it.each(refusedTokens)('is refused with 5.7.3 for %s', async (_, refusedToken) => {
    expect(await signIn(at('jane'), await refusedToken(client))).toMatchObject(unsuccessful);
  });

  it.each([
    ['no FullAccess for the app', at('scoped')],
    ["FullAccess for the registration's object id", at('strange')],
    ['an unknown address', at('nobody')],
    ['an address of another tenant', `excepted@${off.domain}`],
    ['an address on premises', at('factory')],
    ['a group', at('group')],
  ])('is refused with 5.7.3 for %s', async (_, user) => {
    expect(await signIn(user)).toMatchObject(unsuccessful);
  });

  it('is refused with 5.7.3 while the grants propagate', async () => {
    const freshToken = await exchangeToken(client, apps.usual, fresh.id);
    expect(await signIn(`jane@${fresh.domain}`, freshToken)).toMatchObject(unsuccessful);
  });

  it('signs in with only the role of RBAC for Applications, within its scope', async () => {
    const roleToken = await exchangeToken(client, apps.byRole);
    expect(await signIn(at('scoped'), roleToken)).toBe(true);
    expect(await signIn(at('john'), roleToken)).toMatchObject(unsuccessful);
  });

  it('needs FullAccess if the permission is granted in addition to the role', async () => {
    const bothToken = await exchangeToken(client, apps.byRoleAndGrant);
    expect(await signIn(at('scoped'), bothToken)).toMatchObject(unsuccessful);
    expect(await signIn(at('jane'), bothToken)).toBe(true);
  });

  it('gets 5.7.139 if authenticated SMTP is off for the tenant, unless the mailbox turns it on', async () => {
    const offToken = await exchangeToken(client, apps.usual, off.id);
    const reply =
      '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information.';
    expect(await signIn(`inherits@${off.domain}`, offToken)).toMatchObject(refusal(reply, signInCommand));
    expect(await signIn(`excepted@${off.domain}`, offToken)).toBe(true);
  });

  it('gets 5.7.139 if authenticated SMTP is off for the mailbox', async () => {
    const reply =
      '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more information.';
    expect(await signIn(at('off'))).toMatchObject(refusal(reply, signInCommand));
  });

  it.each([
    ['disabled', '535 5.7.139 Authentication unsuccessful, basic authentication is disabled.'],
    [
      'securityDefaults',
      "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults",
    ],
    ['retired', '550 5.7.30 Basic authentication is not supported for Client Submission.'],
  ] as const)('cannot sign in with a password: %s', async (basicAuth, reply) => {
    const tenant = client.simulator.world.tenant(off.id);
    if (tenant) tenant.scenario.basicAuth = basicAuth;
    const transport = smtpClient(client, { user: `inherits@${off.domain}`, pass: 'password' });
    await expect(transport.verify()).rejects.toMatchObject(refusal(reply, 'AUTH LOGIN'));
  });

  it.each([
    ['as another sender', { envelopeFrom: at('john') }, 'MAIL FROM'],
    ['with another sender in the header', { from: at('john'), envelopeFrom: at('jane') }, 'DATA'],
  ])('may not send %s', async (_, more, command) => {
    const reply = '550 5.7.60 SMTP; Client does not have permissions to send as this sender';
    expect(await send(at('jane'), more)).toMatchObject(refusal(reply, command));
  });

  it.each(senderFaults)('gets the fault %s: %s at %s', async (code, reply, command) => {
    expect(await send(at(`fault-${code}`))).toMatchObject(refusal(reply, command));
  });

  it.each(['5.7.705', '5.7.750'] as const)('gets %s at every mailbox of a blocked tenant', async (code) => {
    const tenant = client.simulator.world.tenant(wingtip.id);
    if (tenant) tenant.scenario.sendingBlocked = code;
    const refused = await send(at('jane'));
    if (tenant) delete tenant.scenario.sendingBlocked;
    expect(refused).toMatchObject(refusal(`550 ${code}`, 'MAIL FROM'));
  });

  it('gets the thread limit at DATA', async () => {
    const reply = '432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded';
    expect(await send(at('threads'))).toMatchObject(refusal(reply, 'DATA'));
  });

  it('gets a fault at the command, with the text and as often as the scenario says', async () => {
    const [first, second] = [await send(at('late')), await send(at('late'))];
    expect(first).toMatchObject({ response: expect.stringContaining('554 5.1.8 Of another day.') });
    expect(second.response).toMatch(/^250 /);
  });

  it.each([at('down'), at('smtp-down')])('gets 421 from a mailbox that is down: %s', async (user) => {
    expect(await signIn(user)).toMatchObject(refusal('421 4.3.2 Service not available', signInCommand));
  });

  it.each([
    [at('dropped'), /^ECONNECTION$|^ESOCKET$|^EAUTH$/],
    [at('garbled'), /^EAUTH$|^EPROTOCOL$|^ECONNECTION$/],
    [at('mute'), /^ETIMEDOUT$/],
  ])('gets no valid reply from %s', async (user, code) => {
    expect(await signIn(user)).toMatchObject({ code: expect.stringMatching(code) });
  });

  it('signs in to a flaky mailbox only some of the time', async () => {
    const results = await Promise.all(Array.from({ length: 15 }, () => signIn(at('flaky'))));
    expect(results).toContain(true);
    expect(results.filter((one) => one !== true)).not.toEqual([]);
  });

  it.each([at('graph-only'), at('imap-only')])('is not affected by a fault of another protocol: %s', async (user) => {
    expect(await signIn(user)).toBe(true);
  });
});

describe('random failures of a tenant', () => {
  const user = `excepted@${off.domain}`;

  it.each([
    [{ throttled: 1 }, refusal('432 4.3.2 ', signInCommand)],
    [{ unavailable: 1 }, refusal('421 4.3.2 Service not available', signInCommand)],
    [{ garbage: 1 }, { code: expect.stringMatching(/^E/) }],
  ])('fail any sign-in: %o', async (rates, expected) => {
    const offToken = await exchangeToken(client, apps.usual, off.id);
    expect(await withRandomFailures(client, rates, () => signIn(user, offToken))).toMatchObject(expected);
  });

  it('drop the connection immediately or at the next command', async () => {
    const offToken = await exchangeToken(client, apps.usual, off.id);
    const results = await withRandomFailures(client, { dropped: 1 }, () =>
      Promise.all(Array.from({ length: 12 }, () => send(user, { accessToken: offToken }))),
    );
    expect(results.filter(({ code }) => code === undefined)).toEqual([]);
    const { items } = await client.control<{ items: RequestCount[] }>('/requests');
    const lost = items.filter(({ service, status }) => service === 'smtp' && status === 0).map(({ method }) => method);
    expect(lost).toEqual(expect.arrayContaining(['AUTH', 'MAIL']));
  });
});

describe('line by line', () => {
  const reply = /^\d{3} .*\r\n/m;
  const connect = conversations(() => MailConversation.smtp(client));
  const connectOverTls = async () => {
    const conversation = await connect();
    await conversation.startTls();
    return conversation;
  };
  const connectAndSignIn = async (user: string) => {
    const conversation = await connectOverTls();
    expect(await conversation.signIn(user, token)).toBe('235 2.7.0 Authentication successful\r\n');
    return conversation;
  };

  it('EHLO offers AUTH only after STARTTLS', async () => {
    const conversation = await connect();
    const before = await conversation.ask('EHLO client.example', /^250 /m);
    expect(before).toContain('STARTTLS');
    expect(before).not.toContain('AUTH');
    expect(await conversation.ask('AUTH XOAUTH2', reply)).toBe('504 5.7.4 Unrecognized authentication type\r\n');
    const after = await conversation.startTls();
    expect(after).toMatch(/^250[ -]AUTH LOGIN XOAUTH2\r\n/m);
    expect(after).toMatch(/^250[ -]ENHANCEDSTATUSCODES\r\n/m);
    expect(after).not.toContain('STARTTLS');
  });

  it('AUTH without an initial response gets a prompt for it', async () => {
    const conversation = await connectOverTls();
    expect(await conversation.ask('AUTH XOAUTH2', reply)).toBe('334 \r\n');
    expect(await conversation.ask(xoauth2(at('jane'), token), reply)).toBe('235 2.7.0 Authentication successful\r\n');
  });

  it('a command of more than 512 octets is refused, so a token must follow on a line of its own', async () => {
    const conversation = await connectOverTls();
    const credentials = xoauth2(at('jane'), token);
    expect(credentials.length).toBeGreaterThan(512);
    const tooLong = '500 5.3.3 Unrecognized command\r\n';
    expect(await conversation.ask(`AUTH XOAUTH2 ${credentials}`, reply)).toBe(tooLong);
    expect(await conversation.ask(`NOOP ${'x'.repeat(506)}`, reply)).toBe(tooLong);
    expect(await conversation.ask(`NOOP ${'x'.repeat(505)}`, reply)).toBe('250 2.0.0 OK\r\n');
    expect(await conversation.signIn(at('jane'), token)).toBe('235 2.7.0 Authentication successful\r\n');
  });

  it('MAIL FROM is refused before sign-in, with or without TLS', async () => {
    const conversation = await connect();
    const refusal = /^530 5\.7\.57 Client not authenticated to send mail\./;
    expect(await conversation.ask(`MAIL FROM:<${at('jane')}>`, reply)).toMatch(refusal);
    await conversation.startTls();
    expect(await conversation.ask(`MAIL FROM:<${at('jane')}>`, reply)).toMatch(refusal);
  });

  it('AUTH, MAIL FROM, RSET and QUIT succeed and send nothing', async () => {
    const conversation = await connectAndSignIn(at('john'));
    expect(await conversation.ask(`MAIL FROM:<${at('john')}>`, reply)).toBe('250 2.1.0 Sender OK\r\n');
    expect(await conversation.ask('RSET', reply)).toBe('250 2.0.0 Resetting\r\n');
    expect(await conversation.ask('QUIT', reply)).toBe('221 2.0.0 Service closing transmission channel\r\n');
    expect(client.simulator.world.mail.of(wingtip.id, at('john')).sent).toEqual([]);
  });

  it('no more than three connections of a mailbox may send at the same time', async () => {
    const connections = await Promise.all(Array.from({ length: 4 }, () => connectAndSignIn(at('crowded'))));
    const submit = async (conversation: MailConversation | undefined) => {
      await conversation?.ask(`MAIL FROM:<${at('crowded')}>`, reply);
      await conversation?.ask(`RCPT TO:<${at('john')}>`, reply);
      expect(await conversation?.ask('DATA', reply)).toBe('354 Start mail input; end with <CRLF>.<CRLF>\r\n');
      return await conversation?.ask('Subject: x\r\n\r\nx\r\n.', reply);
    };
    expect(await submit(connections[3])).toMatch(
      /^432 4\.3\.2 Concurrent connections limit exceeded\. Visit https:\/\/aka\.ms\/concurrent_sending for more/,
    );
    await connections[0]?.ask('QUIT', reply);
    await expect.poll(() => submit(connections[3])).toMatch(/^250 2\.0\.0 OK/);
  });

  it.each([
    ['XYZZY', '500 5.3.3 Unrecognized command\r\n'],
    ['RCPT TO:<jane@wingtip.example>', '503 5.5.2 Need mail command\r\n'],
    ['DATA', '503 5.5.2 Need rcpt command\r\n'],
    ['MAIL FROM:jane', '501 5.5.4 Invalid arguments\r\n'],
    ['AUTH PLAIN', '503 5.5.2 Bad sequence of commands\r\n'],
    ['NOOP', '250 2.0.0 OK\r\n'],
  ])('signed in: %s', async (line, answer) => {
    expect(await (await connectAndSignIn(at('jane'))).ask(line, reply)).toBe(answer);
  });

  it.each([
    ['AUTH PLAIN', '504 5.7.4 Unrecognized authentication type\r\n'],
    ['AUTH XOAUTH2 bm90aGluZw==', expect.stringMatching(/^535 5\.7\.3 Authentication unsuccessful \[/)],
  ])('not signed in: %s', async (line, answer) => {
    const conversation = await connectOverTls();
    expect(await conversation.ask(line, reply)).toEqual(answer);
  });

  it('waits for a slow mailbox', async () => {
    const startedAt = performance.now();
    await connectAndSignIn(at('slow'));
    expect(performance.now() - startedAt).toBeGreaterThan(2000);
  });
});

describe('the request log', () => {
  it('has each command with tenant, app and mailbox, and never a token', async () => {
    const { items: before } = await client.control<{ items: LoggedRequest[] }>('/log');
    const last = before.at(-1)?.sequence ?? 0;
    await send(at('john'), { to: at('jane') });
    const { items } = await client.control<{ items: LoggedRequest[] }>(`/log?since=${last}`);
    // nodemailer does not wait for the reply to QUIT.
    const commands = items.filter(({ method }) => method !== 'QUIT');
    expect(commands.map(({ method, route, status }) => `${method} | ${route} | ${status}`)).toEqual([
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
