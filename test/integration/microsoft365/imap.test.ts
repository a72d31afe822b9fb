import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoggedRequest, RequestCount } from '../../../local/microsoft365/request-ledger.ts';
import {
  apps,
  Conversation,
  exchangeToken,
  fresh,
  imapClient,
  inWeather,
  off,
  protocolScenario,
  refusedTokens,
  xoauth2,
} from '../../support/mail-protocols.ts';
import { at, openSimulator, type SimulatorClient, wingtip } from '../../support/simulator-client.ts';

let client: SimulatorClient;
let token: string;

beforeAll(async () => {
  client = await openSimulator(
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
  token = await exchangeToken(client);
});
afterAll(() => client.close());

/** Opens the inbox with imapflow, and says what came of it: how many messages, or the server's words. */
async function examine(user: string, accessToken = token): Promise<number | string> {
  const flow = imapClient(client, { user, accessToken });
  try {
    await flow.connect();
    const { exists, readOnly } = await flow.mailboxOpen('INBOX', { readOnly: true });
    expect(readOnly).toBe(true);
    await flow.logout();
    return exists;
  } catch (error) {
    flow.close();
    const { response, responseText, message, code } = error as Record<string, unknown>;
    return String(response ?? responseText ?? code ?? message);
  }
}

const failed = expect.stringMatching(/^\w+ NO AUTHENTICATE failed\.$/);
const notConnected = expect.stringMatching(/User is authenticated but not connected\.$/);

describe('imapflow', () => {
  it('opens the inbox and sees how many messages lie in it', async () => {
    const inbox = client.simulator.world.mail.of(wingtip.id, at('john'));
    for (const subject of ['one', 'two']) inbox.put('inbox', { subject, isDraft: false, content: {} });
    expect(await examine(at('john'))).toBe(2);
    expect(await examine(at('jane'))).toBe(0);
  });

  it.each([at('jdoe'), at('j.doe'), at('JANE')])(
    'opens the mailbox by %s, which is another name of it',
    async (user) => {
      expect(await examine(user)).toBe(0);
    },
  );

  it('opens a mailbox to which the service principal has access by its object id', async () => {
    const { world } = client.simulator;
    const entry = world.find(at('by-object-id'))?.entry;
    const objectId = world.tenant(wingtip.id)?.app(apps.usual)?.objectId ?? '';
    if (entry) entry.fullAccess = [objectId.toUpperCase()];
    expect(await examine(at('by-object-id'))).toBe(0);
  });

  it('lists the folders with their uses', async () => {
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

  it.each(Object.keys(refusedTokens))('is told that AUTHENTICATE failed: %s', async (why) => {
    expect(await examine(at('jane'), await refusedTokens[why]?.(client))).toEqual(failed);
  });

  it.each([
    ['no FullAccess for the app', at('scoped')],
    ["FullAccess for the registration's object id", at('strange')],
    ['an address that nobody has', at('nobody')],
    ['an address of another tenant', `inherits@off.example`],
    ['a group', at('group')],
    ['a mailbox that was deleted', at('deleted')],
    ['a fault of the mailbox', at('refused')],
  ])('is told that AUTHENTICATE failed: %s', async (_why, user) => {
    expect(await examine(user)).toEqual(failed);
  });

  it('is told that AUTHENTICATE failed while the grants are on their way', async () => {
    expect(await examine(`jane@${fresh.domain}`, await exchangeToken(client, apps.usual, fresh.id))).toEqual(failed);
  });

  it.each([
    ['IMAP is switched off', at('off')],
    ['the mailbox is on premises', at('factory')],
    ['there is no licence', at('newcomer')],
    ['the account is disabled', at('leaver')],
  ])('is authenticated but not connected: %s', async (_why, user) => {
    expect(await examine(user)).toEqual(notConnected);
  });

  it('is connected once a passing trouble is over', async () => {
    expect(await examine(at('shy'))).toEqual(notConnected);
    expect(await examine(at('shy'))).toEqual(notConnected);
    expect(await examine(at('shy'))).toBe(0);
  });

  it('is told that passwords are refused', async () => {
    const flow = imapClient(client, { user: at('jane'), pass: 'password' });
    const error = await flow.connect().catch((cause: unknown) => cause);
    flow.close();
    expect(error).toMatchObject({ response: expect.stringContaining('Basic authentication is disabled.') });
  });

  it.each([at('down'), at('imap-down'), at('garbled'), at('dropped')])('loses the connection at %s', async (user) => {
    expect(await examine(user)).toMatch(/^ClosedAfterConnectTLS$/);
  });

  it('is told that the server is unavailable', async () => {
    expect(await examine(at('busy'))).toMatch(/Server Unavailable/);
  });

  it('waits for a slow mailbox', async () => {
    const began = performance.now();
    expect(await examine(at('slow'))).toBe(0);
    expect(performance.now() - began).toBeGreaterThan(2000);
  });

  it('gets through to a flaky mailbox now and then', async () => {
    const came = await Promise.all(Array.from({ length: 15 }, () => examine(at('flaky'))));
    expect(came).toContain(0);
    expect(came.filter((one) => one !== 0)).not.toEqual([]);
  });

  it.each([at('graph-only'), at('smtp-only')])('feels nothing of a fault of other protocols: %s', async (user) => {
    expect(await examine(user)).toBe(0);
  });
});

describe("a tenant's weather", () => {
  const user = `excepted@${off.domain}`;

  it.each([
    [{ throttled: 1 }, /Server Unavailable/],
    [{ unavailable: 1 }, /^ClosedAfterConnectTLS$/],
    [{ garbage: 1 }, /^ClosedAfterConnectTLS$/],
  ])('strikes whoever signs in: %o', async (rates, words) => {
    const offToken = await exchangeToken(client, apps.usual, off.id);
    expect(await inWeather(client, rates, () => examine(user, offToken))).toMatch(words);
  });

  it('loses connections, at once or a step later', async () => {
    const offToken = await exchangeToken(client, apps.usual, off.id);
    const came = await inWeather(client, { dropped: 1 }, () =>
      Promise.all(Array.from({ length: 12 }, () => examine(user, offToken))),
    );
    expect(came.filter((one) => one === 0)).toEqual([]);
    const { items } = await client.control<{ items: RequestCount[] }>('/requests');
    const lost = items.filter(({ service, status }) => service === 'imap' && status === 0).map(({ method }) => method);
    expect(lost).toEqual(expect.arrayContaining(['AUTHENTICATE', 'CAPABILITY']));
  });
});

describe('word by word', () => {
  const tagged = /^A\d+ .*\r\n/m;
  const opened: Conversation[] = [];
  const converse = async () => {
    const conversation = await Conversation.imap(client);
    opened.push(conversation);
    return conversation;
  };
  const enter = async (user: string) => {
    const conversation = await converse();
    expect(await conversation.ask(`A1 AUTHENTICATE XOAUTH2 ${xoauth2(user, token)}`, tagged)).toBe(
      'A1 OK AUTHENTICATE completed.\r\n',
    );
    return conversation;
  };
  afterAll(() => {
    for (const conversation of opened) conversation.close();
  });

  it('AUTHENTICATE without an initial response is asked for it', async () => {
    const conversation = await converse();
    expect(await conversation.ask('A1 AUTHENTICATE XOAUTH2', /\n/)).toBe('+ \r\n');
    expect(await conversation.ask(xoauth2(at('jane'), token), tagged)).toBe('A1 OK AUTHENTICATE completed.\r\n');
    expect(await conversation.ask('A2 AUTHENTICATE XOAUTH2', tagged)).toMatch(/^A2 BAD /);
  });

  it('AUTHENTICATE can be given up', async () => {
    const conversation = await converse();
    await conversation.ask('A1 AUTHENTICATE XOAUTH2', /\n/);
    expect(await conversation.ask('*', tagged)).toBe(
      'A1 BAD The AUTH protocol exchange was canceled by the client.\r\n',
    );
    expect(await conversation.ask(`A2 AUTHENTICATE XOAUTH2 bm90aGluZw==`, tagged)).toBe(
      'A2 NO AUTHENTICATE failed.\r\n',
    );
    expect(await conversation.ask(`A3 AUTHENTICATE XOAUTH2 ${xoauth2(at('jane'), token)}`, tagged)).toMatch(/^A3 OK /);
  });

  it('passing AUTHENTICATE opens no mailbox that has IMAP switched off', async () => {
    const conversation = await enter(at('off'));
    const refusal = 'BAD User is authenticated but not connected.\r\n';
    expect(await conversation.ask('A2 EXAMINE INBOX', tagged)).toBe(`A2 ${refusal}`);
    expect(await conversation.ask('A3 SELECT INBOX', tagged)).toBe(`A3 ${refusal}`);
    expect(await conversation.ask('A4 LIST "" "*"', tagged)).toBe(`A4 ${refusal}`);
    expect(await conversation.ask('A5 NOOP', tagged)).toBe('A5 OK NOOP completed.\r\n');
    expect(await conversation.ask('A6 LOGOUT', tagged)).toMatch(/^\* BYE .*\r\nA6 OK LOGOUT completed\.\r\n$/);
  });

  it('the twenty-first connection of a mailbox is authenticated but not connected', async () => {
    const many = await Promise.all(Array.from({ length: 20 }, () => enter(at('crowded'))));
    expect(await many[19]?.ask('A2 EXAMINE INBOX', tagged)).toMatch(/A2 OK \[READ-ONLY\]/);
    expect(await (await enter(at('crowded'))).ask('A2 EXAMINE INBOX', tagged)).toMatch(
      /^A2 BAD User is authenticated but/,
    );
    await many[0]?.ask('A3 LOGOUT', tagged);
    await expect
      .poll(async () => (await enter(at('crowded'))).ask('A2 EXAMINE INBOX', tagged))
      .toMatch(/A2 OK \[READ-ONLY\]/);
  });

  it('EXAMINE tells what a client needs to know', async () => {
    const conversation = await enter(at('john'));
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

  it('arguments come as literals too', async () => {
    const conversation = await enter(at('jane'));
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
    const conversation = await converse();
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
    expect(await (await enter(at('jane'))).ask(line, tagged)).toBe(answer);
  });

  it('IDLE lasts until DONE', async () => {
    const conversation = await enter(at('jane'));
    expect(await conversation.ask('A2 IDLE', /\n/)).toBe('+ IDLE accepted, awaiting DONE command.\r\n');
    expect(await conversation.ask('DONE', tagged)).toBe('A2 OK IDLE completed.\r\n');
  });

  it('a mailbox that is down ends the connection', async () => {
    const conversation = await converse();
    const heard = await conversation.ask(`A1 AUTHENTICATE XOAUTH2 ${xoauth2(at('down'), token)}`, /never/);
    expect(heard).toBe('* BYE Connection is closed. 13\r\n');
  });

  it('a mailbox that gives no answer leaves the connection open', async () => {
    const conversation = await converse();
    await expect(conversation.ask(`A1 AUTHENTICATE XOAUTH2 ${xoauth2(at('mute'), token)}`, /\n/, 300)).rejects.toThrow(
      /abort/i,
    );
    expect(conversation.isOver).toBe(false);
  });
});

describe('the request log', () => {
  it('counts each step and names tenant, app and mailbox, and never a token', async () => {
    const { items: before } = await client.control<{ items: LoggedRequest[] }>('/log');
    const last = before.at(-1)?.sequence ?? 0;
    await examine(at('jane'));
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
