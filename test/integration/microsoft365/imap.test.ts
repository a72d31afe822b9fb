import { describe, expect, it } from 'vitest';
import type { LoggedRequest, RequestCount } from '../../../local/microsoft365/request-ledger.ts';
import { conversations, MailConversation } from '../../support/mail-conversation.ts';
import {
  apps,
  exchangeToken,
  fresh,
  imapClient,
  off,
  protocolScenario,
  refusedTokens,
  withRandomFailures,
  xoauth2,
} from '../../support/mail-protocols.ts';
import { startSimulatedTenant } from '../../support/simulator-client.ts';
import { at, wingtip } from '../../support/wingtip.ts';

const client = await startSimulatedTenant(
  protocolScenario([
    { address: at('off'), imap: false },
    { address: at('shy'), fault: { code: 'IMAP.notConnected', times: 2 } },
    { address: at('refused'), fault: 'error:IMAP.authenticateFailed' },
    { address: at('down'), fault: 'down' },
    { address: at('imap-down'), fault: 'error:IMAP.down' },
    { address: at('mute'), fault: 'noAnswer' },
    { address: at('garbled'), fault: 'garbage' },
    { address: at('dropped'), fault: 'error:IMAP.dropped' },
    { address: at('busy'), fault: 'error:IMAP.unavailable' },
    { address: at('slow'), fault: 'slow' },
    { address: at('flaky'), fault: 'flaky' },
    { address: at('crowded') },
    { address: at('graph-only'), fault: 'error:ErrorAccessDenied' },
    { address: at('smtp-only'), fault: 'error:5.1.8' },
    { address: at('by-object-id'), fullAccess: [] },
  ]),
);
const token = await exchangeToken(client);

/** Opens the inbox with imapflow. Resolves to the number of messages, or to the server's reply if it refuses. */
async function openInbox(user: string, accessToken = token): Promise<number | string> {
  const flow = imapClient(client, { user, accessToken });
  try {
    await flow.connect();
    const { exists, readOnly } = await flow.mailboxOpen('INBOX', { readOnly: true });
    expect(readOnly).toBe(true);
    await flow.logout();
    return exists;
  } catch (error) {
    flow.close();
    return imapReply(error);
  }
}

/** imapflow puts the server's reply on its errors, or a code if there was no reply. */
function imapReply(error: unknown): string {
  if (!(error instanceof Error)) throw error;
  for (const name of ['response', 'responseText', 'code']) {
    const value: unknown = Reflect.get(error, name);
    if (typeof value === 'string') return value;
  }
  return error.message;
}

const failed = expect.stringMatching(/^\w+ NO AUTHENTICATE failed\.$/);
const notConnected = expect.stringMatching(/User is authenticated but not connected\.$/);

describe('imapflow', () => {
  it('opens the inbox and gets the number of messages', async () => {
    const inbox = client.simulator.world.mail.of(wingtip.id, at('john'));
    for (const subject of ['one', 'two']) inbox.put('inbox', { subject, isDraft: false, content: {} });
    expect(await openInbox(at('john'))).toBe(2);
    expect(await openInbox(at('jane'))).toBe(0);
  });

  it.each([at('jdoe'), at('j.doe'), at('JANE')])(
    'opens the mailbox by its UPN, alias or address in any case: %s',
    async (user) => {
      expect(await openInbox(user)).toBe(0);
    },
  );

  it('opens a mailbox if the service principal has access by its object id', async () => {
    const { world } = client.simulator;
    const entry = world.find(at('by-object-id'))?.entry;
    const objectId = world.tenant(wingtip.id)?.app(apps.usual)?.objectId ?? '';
    if (entry) entry.fullAccess = [objectId.toUpperCase()];
    expect(await openInbox(at('by-object-id'))).toBe(0);
  });

  it('lists the visible folders with their special uses', async () => {
    const contents = client.simulator.world.mail.of(wingtip.id, at('jane'));
    contents.folders.set('own', { id: 'own', displayName: 'Müller & Co', isHidden: false });
    contents.folders.set('hidden', { id: 'hidden', displayName: 'Hidden', isHidden: true });
    const flow = imapClient(client, { user: at('jane'), accessToken: token });
    await flow.connect();
    const folders = await flow.list();
    const status = await flow.status('INBOX', { messages: true, unseen: true, uidNext: true });
    await flow.mailboxOpen('Müller & Co');
    await flow.logout();
    expect(folders.map(({ path }) => path)).toEqual(expect.arrayContaining(['INBOX', 'Sent Items', 'Müller & Co']));
    expect(folders.map(({ path }) => path)).not.toContain('Hidden');
    expect(folders.find(({ specialUse }) => specialUse === '\\Drafts')?.path).toBe('Drafts');
    expect(status).toMatchObject({ messages: 0, unseen: 0, uidNext: 1 });
  });

  it.each(refusedTokens)('gets AUTHENTICATE failed for %s', async (_, refusedToken) => {
    expect(await openInbox(at('jane'), await refusedToken(client))).toEqual(failed);
  });

  it.each([
    ['no FullAccess for the app', at('scoped')],
    ["FullAccess for the registration's object id", at('strange')],
    ['an unknown address', at('nobody')],
    ['an address of another tenant', `inherits@${off.domain}`],
    ['a group', at('group')],
    ['a deleted mailbox', at('deleted')],
    ['a mailbox whose fault says so', at('refused')],
  ])('gets AUTHENTICATE failed for %s', async (_, user) => {
    expect(await openInbox(user)).toEqual(failed);
  });

  it('gets AUTHENTICATE failed while the grants propagate', async () => {
    expect(await openInbox(`jane@${fresh.domain}`, await exchangeToken(client, apps.usual, fresh.id))).toEqual(failed);
  });

  it.each([
    ['IMAP is disabled', at('off')],
    ['the mailbox is on premises', at('factory')],
    ['the account has no licence', at('newcomer')],
    ['the account is disabled', at('leaver')],
  ])('is authenticated but not connected if %s', async (_, user) => {
    expect(await openInbox(user)).toEqual(notConnected);
  });

  it('is connected once a temporary fault is over', async () => {
    expect(await openInbox(at('shy'))).toEqual(notConnected);
    expect(await openInbox(at('shy'))).toEqual(notConnected);
    expect(await openInbox(at('shy'))).toBe(0);
  });

  it('cannot sign in with a password', async () => {
    const flow = imapClient(client, { user: at('jane'), pass: 'password' });
    const error = await flow.connect().catch((cause: unknown) => cause);
    flow.close();
    expect(error).toMatchObject({ response: expect.stringContaining('Basic authentication is disabled.') });
  });

  it.each([at('down'), at('imap-down'), at('garbled'), at('dropped')])('loses the connection to %s', async (user) => {
    expect(await openInbox(user)).toMatch(/^ClosedAfterConnectTLS$/);
  });

  it('gets Server Unavailable from a busy mailbox', async () => {
    expect(await openInbox(at('busy'))).toMatch(/Server Unavailable/);
  });

  it('waits for a slow mailbox', async () => {
    const startedAt = performance.now();
    expect(await openInbox(at('slow'))).toBe(0);
    expect(performance.now() - startedAt).toBeGreaterThan(2000);
  });

  it('opens a flaky mailbox only some of the time', async () => {
    const results = await Promise.all(Array.from({ length: 15 }, () => openInbox(at('flaky'))));
    expect(results).toContain(0);
    expect(results.filter((one) => one !== 0)).not.toEqual([]);
  });

  it.each([at('graph-only'), at('smtp-only')])('is not affected by a fault of another protocol: %s', async (user) => {
    expect(await openInbox(user)).toBe(0);
  });
});

describe('random failures of a tenant', () => {
  const user = `excepted@${off.domain}`;

  it.each([
    [{ throttled: 1 }, /Server Unavailable/],
    [{ unavailable: 1 }, /^ClosedAfterConnectTLS$/],
    [{ garbage: 1 }, /^ClosedAfterConnectTLS$/],
  ])('fail any sign-in: %o', async (rates, reply) => {
    const offToken = await exchangeToken(client, apps.usual, off.id);
    expect(await withRandomFailures(client, rates, () => openInbox(user, offToken))).toMatch(reply);
  });

  it('drop the connection immediately or at the next command', async () => {
    const offToken = await exchangeToken(client, apps.usual, off.id);
    const results = await withRandomFailures(client, { dropped: 1 }, () =>
      Promise.all(Array.from({ length: 12 }, () => openInbox(user, offToken))),
    );
    expect(results.filter((one) => one === 0)).toEqual([]);
    const { items } = await client.control<{ items: RequestCount[] }>('/requests');
    const lost = items.filter(({ service, status }) => service === 'imap' && status === 0).map(({ method }) => method);
    expect(lost).toEqual(expect.arrayContaining(['AUTHENTICATE', 'CAPABILITY']));
  });
});

describe('line by line', () => {
  const tagged = /^A\d+ .*\r\n/m;
  const connect = conversations(() => MailConversation.imap(client));
  const signIn = async (user: string) => {
    const conversation = await connect();
    expect(await conversation.ask(`A1 AUTHENTICATE XOAUTH2 ${xoauth2(user, token)}`, tagged)).toBe(
      'A1 OK AUTHENTICATE completed.\r\n',
    );
    return conversation;
  };

  it('AUTHENTICATE without an initial response gets a prompt for it', async () => {
    const conversation = await connect();
    expect(await conversation.ask('A1 AUTHENTICATE XOAUTH2', /\n/)).toBe('+ \r\n');
    expect(await conversation.ask(xoauth2(at('jane'), token), tagged)).toBe('A1 OK AUTHENTICATE completed.\r\n');
    expect(await conversation.ask('A2 AUTHENTICATE XOAUTH2', tagged)).toMatch(/^A2 BAD /);
  });

  it('AUTHENTICATE can be canceled', async () => {
    const conversation = await connect();
    await conversation.ask('A1 AUTHENTICATE XOAUTH2', /\n/);
    expect(await conversation.ask('*', tagged)).toBe(
      'A1 BAD The AUTH protocol exchange was canceled by the client.\r\n',
    );
    expect(await conversation.ask(`A2 AUTHENTICATE XOAUTH2 bm90aGluZw==`, tagged)).toBe(
      'A2 NO AUTHENTICATE failed.\r\n',
    );
    expect(await conversation.ask(`A3 AUTHENTICATE XOAUTH2 ${xoauth2(at('jane'), token)}`, tagged)).toMatch(/^A3 OK /);
  });

  it('AUTHENTICATE succeeds for a mailbox with IMAP disabled, but commands on the mailbox fail', async () => {
    const conversation = await signIn(at('off'));
    const refusal = 'BAD User is authenticated but not connected.\r\n';
    expect(await conversation.ask('A2 EXAMINE INBOX', tagged)).toBe(`A2 ${refusal}`);
    expect(await conversation.ask('A3 SELECT INBOX', tagged)).toBe(`A3 ${refusal}`);
    expect(await conversation.ask('A4 LIST "" "*"', tagged)).toBe(`A4 ${refusal}`);
    expect(await conversation.ask('A5 NOOP', tagged)).toBe('A5 OK NOOP completed.\r\n');
    expect(await conversation.ask('A6 LOGOUT', tagged)).toMatch(/^\* BYE .*\r\nA6 OK LOGOUT completed\.\r\n$/);
  });

  it('the twenty-first connection of a mailbox is authenticated but not connected', async () => {
    const connections = await Promise.all(Array.from({ length: 20 }, () => signIn(at('crowded'))));
    expect(await connections[19]?.ask('A2 EXAMINE INBOX', tagged)).toMatch(/A2 OK \[READ-ONLY\]/);
    expect(await (await signIn(at('crowded'))).ask('A2 EXAMINE INBOX', tagged)).toMatch(
      /^A2 BAD User is authenticated but/,
    );
    await connections[0]?.ask('A3 LOGOUT', tagged);
    await expect
      .poll(async () => (await signIn(at('crowded'))).ask('A2 EXAMINE INBOX', tagged))
      .toMatch(/A2 OK \[READ-ONLY\]/);
  });

  it('EXAMINE returns counts, flags and ids', async () => {
    const conversation = await signIn(at('john'));
    expect(await conversation.ask('A2 EXAMINE "inbox"', tagged)).toBe(
      [
        '* 2 EXISTS',
        '* 0 RECENT',
        '* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $MDNSent)',
        '* OK [PERMANENTFLAGS ()] Permanent flags',
        '* OK [UNSEEN 1] Is the first unseen message',
        '* OK [UIDVALIDITY 14] UIDVALIDITY value',
        '* OK [UIDNEXT 3] The next unique identifier value',
        'A2 OK [READ-ONLY] EXAMINE completed.\r\n',
      ].join('\r\n'),
    );
    expect(await conversation.ask('A3 UNSELECT', tagged)).toBe('A3 OK UNSELECT completed.\r\n');
    expect(await conversation.ask('A4 CLOSE', tagged)).toBe('A4 BAD Command received in Invalid state.\r\n');
  });

  it('arguments can be literals', async () => {
    const conversation = await signIn(at('jane'));
    expect(await conversation.ask('A2 STATUS {5}', /\n/)).toBe('+ Ready for additional command text.\r\n');
    expect(await conversation.ask('INBOX (MESSAGES)', tagged)).toBe(
      '* STATUS "INBOX" (MESSAGES 0)\r\nA2 OK STATUS completed.\r\n',
    );
    expect(await conversation.ask('A3 EXAMINE {12+}\r\nNo such\r\nbox', tagged)).toBe(
      "A3 NO No such box doesn't exist.\r\n",
    );
  });

  it.each([
    ['A1 CAPABILITY', /^\* CAPABILITY IMAP4 IMAP4rev1 .*AUTH=XOAUTH2 SASL-IR.*\r\nA1 OK CAPABILITY completed\.\r\n$/],
    ['A1 ID NIL', /^\* ID \("name" .*\)\r\nA1 OK ID completed\r\n$/],
    ['A1 LOGIN jane password', /^A1 NO Basic authentication is disabled\.\r\n$/],
    ['A1 AUTHENTICATE PLAIN', /^A1 NO Basic authentication is disabled\.\r\n$/],
    ['A1 AUTHENTICATE GSSAPI', /^A1 BAD /],
    ['A1 EXAMINE INBOX', /^A1 BAD Command received in Invalid state\.\r\n$/],
    ['A1 IDLE', /^A1 BAD Command received in Invalid state\.\r\n$/],
    ['A1 XYZZY', /^A1 BAD Command Error\. 12\r\n$/],
    ['A1 LIST ("" "*"', /^A1 BAD Command Error\. 12\r\n$/],
  ])('before signing in: %s', async (line, answer) => {
    const conversation = await connect();
    expect(await conversation.ask(line, tagged)).toMatch(answer);
  });

  it.each([
    ['A2 NAMESPACE', '* NAMESPACE (("" "/")) NIL NIL\r\nA2 OK NAMESPACE completed.\r\n'],
    ['A2 ENABLE UTF8=ACCEPT', '* ENABLED\r\nA2 OK ENABLE completed.\r\n'],
    ['A2 LIST "" ""', '* LIST (\\Noselect) "/" ""\r\nA2 OK LIST completed.\r\n'],
    ['A2 LSUB "" INBOX', '* LSUB (\\HasNoChildren) "/" "INBOX"\r\nA2 OK LSUB completed.\r\n'],
    ['A2 LIST "" "Sent%"', '* LIST (\\HasNoChildren \\Sent) "/" "Sent Items"\r\nA2 OK LIST completed.\r\n'],
    ['A2 STATUS INBOX (SIZES)', 'A2 BAD Command Argument Error. 12\r\n'],
    ['A2 EXAMINE', 'A2 BAD Command Argument Error. 12\r\n'],
    ['A2 FETCH 1 BODY[]', 'A2 BAD Command Error. 12\r\n'],
    ['A2 LOGIN jane password', 'A2 BAD Command received in Invalid state.\r\n'],
  ])('signed in: %s', async (line, answer) => {
    expect(await (await signIn(at('jane'))).ask(line, tagged)).toBe(answer);
  });

  it('IDLE lasts until DONE', async () => {
    const conversation = await signIn(at('jane'));
    expect(await conversation.ask('A2 IDLE', /\n/)).toBe('+ IDLE accepted, awaiting DONE command.\r\n');
    expect(await conversation.ask('DONE', tagged)).toBe('A2 OK IDLE completed.\r\n');
  });

  it('a mailbox that is down closes the connection', async () => {
    const conversation = await connect();
    const received = await conversation.ask(`A1 AUTHENTICATE XOAUTH2 ${xoauth2(at('down'), token)}`, /never/);
    expect(received).toBe('* BYE Connection is closed. 13\r\n');
  });

  it('a mailbox that never replies leaves the connection open', async () => {
    const conversation = await connect();
    await expect(conversation.ask(`A1 AUTHENTICATE XOAUTH2 ${xoauth2(at('mute'), token)}`, /\n/, 300)).rejects.toThrow(
      /abort/i,
    );
    expect(conversation.isOver).toBe(false);
  });
});

describe('the request log', () => {
  it('has each command with tenant, app and mailbox, and never a token', async () => {
    const { items: before } = await client.control<{ items: LoggedRequest[] }>('/log');
    const last = before.at(-1)?.sequence ?? 0;
    await openInbox(at('jane'));
    const { items } = await client.control<{ items: LoggedRequest[] }>(`/log?since=${last}`);
    const common = { service: 'imap', tenantId: wingtip.id, clientId: apps.usual, mailbox: at('jane'), status: 200 };
    expect(items).toContainEqual(
      expect.objectContaining({ ...common, method: 'AUTHENTICATE', route: 'AUTHENTICATE XOAUTH2' }),
    );
    expect(items).toContainEqual(expect.objectContaining({ ...common, method: 'EXAMINE', route: 'EXAMINE INBOX' }));
    const counts = await client.control<{ items: RequestCount[] }>('/requests');
    expect(counts.items).toContainEqual(
      expect.objectContaining({ service: 'imap', route: 'AUTHENTICATE XOAUTH2', status: 403 }),
    );
    expect(JSON.stringify([items, counts])).not.toContain(token.slice(0, 20));
  });
});
