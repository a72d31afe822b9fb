import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseFilter, readPath } from '../../../local/microsoft365/graph/odata-filter.ts';
import { MailStore } from '../../../local/microsoft365/mail-store.ts';
import type { MailboxFault, ScenarioTenantInput } from '../../../local/microsoft365/scenario.ts';
import {
  type Asked,
  at,
  type ErrorBody,
  openSimulator,
  type SimulatorClient,
  wingtipTenant,
} from '../../support/simulator-client.ts';

interface Message extends ErrorBody {
  id: string;
  subject: string;
  parentFolderId: string;
  [property: string]: unknown;
}

interface Shown {
  drafts: { subject: string }[];
  inbox: { subject: string }[];
  sent: { subject: string; to: string[]; via: string }[];
  sentItems: { subject: string }[];
  deleted: { subject: string }[];
  purges: { subject: string }[];
  folders: { displayName: string; isHidden: boolean; messages: { subject: string }[] }[];
}

const elsewhere = 'someone@elsewhere.example';
const immutable = { Prefer: 'IdType="ImmutableId"' };

let client: SimulatorClient;
let count = 0;
/** A mailbox that no test has touched before. */
let user: string;

beforeAll(async () => {
  client = await openSimulator({ tenants: [wingtipTenant()] });
});
afterAll(() => client.close());

function given(fault: MailboxFault = null, more: Partial<ScenarioTenantInput> = {}): void {
  count += 1;
  user = at(`m${count}`);
  client.put(
    wingtipTenant({
      mailboxes: [
        { address: user, fault },
        { address: at('jane'), aliases: [at('alias')] },
      ],
      ...more,
    }),
  );
}
beforeEach(() => given());

const call = <T = Message>(method: string, path: string, asked?: Asked) =>
  client.graph<T>(method, `/users/${user}${path}`, asked);
const draft = (subject: string, headers: Record<string, string> = {}, more: object = {}) =>
  call('POST', '/messages', { body: { subject, ...more }, headers });
const recipients = (...addresses: string[]) => addresses.map((address) => ({ emailAddress: { address } }));
const sendTo = (subject: string, addresses: string[], more: object = {}) =>
  call('POST', '/sendMail', { body: { message: { subject, toRecipients: recipients(...addresses) }, ...more } });
const shown = (address = user) => client.control<Shown>(`/mailboxes/${address}`);
const subjects = (messages: { subject: string }[]) => messages.map(({ subject }) => subject);
const list = async (query: string, path = '/messages') => {
  const told = await call<{ value: Message[] }>('GET', `${path}?${query}`);
  expect(told.status).toBe(200);
  return subjects(told.body.value);
};

describe('a draft', () => {
  it('lies in Drafts and looks as Graph shows a new message', async () => {
    const told = await draft('A draft', immutable);
    expect(told.status).toBe(201);
    expect(told.headers.get('preference-applied')).toBe('IdType="ImmutableId"');
    expect(told.body).toMatchObject({
      '@odata.context': expect.stringMatching(/\/messages\/\$entity$/),
      '@odata.etag': expect.stringMatching(/^W\/"/),
      subject: 'A draft',
      isDraft: true,
      isRead: true,
      hasAttachments: false,
      importance: 'normal',
      toRecipients: [],
      ccRecipients: [],
      bccRecipients: [],
      replyTo: [],
      flag: { flagStatus: 'notFlagged' },
      inferenceClassification: 'focused',
    });
    expect(told.body).not.toHaveProperty('from');
    expect(told.body).not.toHaveProperty('sender');
    expect(await shown()).toMatchObject({ drafts: [{ subject: 'A draft', isDraft: true }], inbox: [], sent: [] });
  });

  it('goes to Deleted Items when it is deleted, and from there out of sight', async () => {
    const { body } = await draft('x', immutable);
    const removed = await call('DELETE', `/messages/${body.id}`);
    expect([removed.status, removed.text]).toEqual([204, '']);
    expect(await shown()).toMatchObject({ drafts: [], deleted: [{ subject: 'x' }], purges: [] });
    expect((await call('DELETE', `/messages/${body.id}`)).status).toBe(204);
    expect(await shown()).toMatchObject({ deleted: [], purges: [{ subject: 'x' }] });
    expect((await call('DELETE', `/messages/${body.id}`)).body.error?.code).toBe('ErrorItemNotFound');
  });

  it('goes straight out of sight when it is deleted for good', async () => {
    const { body } = await draft('x');
    const removed = await call('POST', `/messages/${body.id}/permanentDelete`);
    expect([removed.status, removed.text]).toEqual([204, '']);
    expect(await shown()).toMatchObject({ drafts: [], deleted: [], purges: [{ subject: 'x' }] });
    expect(await list(`$filter=subject eq 'x'`)).toEqual([]);
    expect((await call('GET', `/messages/${body.id}`)).status).toBe(404);
  });

  it('has another ordinary id after each move, and the same immutable one', async () => {
    const ordinary = (await draft('x')).body;
    const [{ id: steady } = { id: '' }] = (await call<{ value: Message[] }>('GET', '/messages', { headers: immutable }))
      .body.value;
    expect(steady).not.toBe(ordinary.id);
    const moved = await call('POST', `/messages/${ordinary.id}/move`, { body: { destinationId: 'inbox' } });
    expect(moved.status).toBe(201);
    expect(moved.body.id).not.toBe(ordinary.id);
    expect((await call('GET', `/messages/${ordinary.id}`)).status).toBe(404);
    expect((await call('GET', `/messages/${moved.body.id}`)).status).toBe(200);
    const told = await call('GET', `/messages/${steady}`, { headers: immutable });
    expect([told.status, told.body.id, told.body.parentFolderId]).toEqual([200, steady, moved.body.parentFolderId]);
  });

  it('can be changed and sent', async () => {
    const { body } = await draft('before');
    await call('PATCH', `/messages/${body.id}`, { body: { subject: 'after', toRecipients: recipients(elsewhere) } });
    const sent = await call('POST', `/messages/${body.id}/send`);
    expect([sent.status, sent.text]).toEqual([202, '']);
    expect(await shown()).toMatchObject({
      drafts: [],
      sent: [{ subject: 'after', to: [elsewhere], via: 'graph' }],
      sentItems: [{ subject: 'after' }],
    });
  });

  it('without a recipient is not sent, and stays', async () => {
    const { body } = await draft('x');
    expect((await call('POST', `/messages/${body.id}/send`)).body.error?.code).toBe('ErrorInvalidRecipients');
    expect(await shown()).toMatchObject({ drafts: [{ subject: 'x' }], sent: [] });
  });

  it('comes as MIME, too', async () => {
    const mime = 'Subject: In\r\n MIME\r\nTo: Jane <jane@wingtip.example>, omar@wingtip.example\r\n\r\nHello';
    const body = Buffer.from(mime).toString('base64');
    const told = await call('POST', '/messages', { body, headers: { 'Content-Type': 'text/plain' } });
    expect(told.body).toMatchObject({
      subject: 'In MIME',
      toRecipients: recipients('jane@wingtip.example', 'omar@wingtip.example'),
      body: { content: 'Hello' },
    });
  });
});

describe('a message that is sent', () => {
  it('leaves a copy in Sent Items unless it is told not to', async () => {
    const told = await sendTo('kept', [elsewhere]);
    expect([told.status, told.headers.get('content-length'), told.text]).toEqual([202, '0', '']);
    await sendTo('unkept', [elsewhere], { saveToSentItems: false });
    await sendTo('unkept as well', [elsewhere], { saveToSentItems: 'false' });
    const { sent, sentItems, inbox, drafts } = await shown();
    expect(subjects(sent)).toEqual(['kept', 'unkept', 'unkept as well']);
    expect(subjects(sentItems)).toEqual(['kept']);
    expect([inbox, drafts]).toEqual([[], []]);
  });

  it('to oneself lies in the own inbox, with its headers', async () => {
    const internetMessageHeaders = [{ name: 'x-muster-check', value: '1' }];
    const message = { subject: 'to myself', toRecipients: recipients(user), internetMessageHeaders };
    await call('POST', '/sendMail', { body: { message, saveToSentItems: false } });
    expect(await shown()).toMatchObject({ inbox: [{ subject: 'to myself', isDraft: false }], sentItems: [] });
    const { body } = await call<{ value: Message[] }>(
      'GET',
      '/mailFolders/inbox/messages?$select=subject,from,isRead,internetMessageHeaders',
    );
    expect(body.value).toMatchObject([
      { from: { emailAddress: { address: user } }, isRead: false, internetMessageHeaders },
    ]);
  });

  it('reaches a colleague by alias', async () => {
    await sendTo('hello', [at('alias')]);
    expect(subjects((await shown(at('jane'))).inbox)).toContain('hello');
  });

  it('comes back to the own inbox from an address that its tenant does not have', async () => {
    expect((await sendTo('Muster check', [at('nobody'), elsewhere])).status).toBe(202);
    expect(subjects((await shown()).inbox)).toEqual(['Undeliverable: Muster check']);
  });

  it('that is refused leaves nothing behind, or its draft where the scenario says so', async () => {
    await sendTo('empty', []);
    expect(await shown()).toMatchObject({ drafts: [], sent: [], sentItems: [] });
    given(null, { sendLeavesDraft: true });
    await sendTo('empty', []);
    const from = { emailAddress: { address: at('boss') } };
    await call('POST', '/sendMail', {
      body: { message: { subject: 'as the boss', toRecipients: recipients(elsewhere), from } },
    });
    expect(subjects((await shown()).drafts)).toEqual(['empty', 'as the boss']);
    expect((await shown()).sent).toEqual([]);
  });

  it('may go out without a recipient where the scenario wants that mishap', async () => {
    given('sendAccepted');
    expect((await sendTo('mishap', [])).status).toBe(202);
    expect((await shown()).sent).toMatchObject([{ subject: 'mishap', to: [] }]);
  });
});

describe('what a fault leaves', () => {
  it('lostDraft: the draft is made and the answer lost, once', async () => {
    given('lostDraft');
    await expect(draft('lost')).rejects.toThrow();
    expect((await draft('found')).status).toBe(201);
    expect(subjects((await shown()).drafts)).toEqual(['lost', 'found']);
  });

  it('lostDraft: within a batch the whole answer is lost', async () => {
    given('lostDraft');
    const part = {
      id: '1',
      method: 'POST',
      url: `/users/${user}/messages`,
      headers: { 'Content-Type': 'application/json' },
      body: { subject: 'lost' },
    };
    await expect(client.graph('POST', '/$batch', { body: { requests: [part] } })).rejects.toThrow();
    expect(subjects((await shown()).drafts)).toEqual(['lost']);
  });

  it('full: nothing can be written, and sending still works', async () => {
    given('full');
    expect((await draft('x')).status).toBe(507);
    expect((await sendTo('x', [])).body.error?.code).toBe('ErrorInvalidRecipients');
    expect((await shown()).drafts).toEqual([]);
  });
});

describe('folders', () => {
  it('can be made hidden, hold a draft, and be removed with it', async () => {
    const made = await call('POST', '/mailFolders', { body: { displayName: 'Muster', isHidden: true } });
    expect(made.status).toBe(201);
    expect((await call('POST', `/mailFolders/${made.body.id}/messages`, { body: { subject: 'in it' } })).status).toBe(
      201,
    );
    expect((await shown()).folders).toMatchObject([
      { displayName: 'Muster', isHidden: true, messages: [{ subject: 'in it' }] },
    ]);
    const names = async (query: string) =>
      (await call<{ value: { displayName: string }[] }>('GET', `/mailFolders?$top=50${query}`)).body.value.map(
        ({ displayName }) => displayName,
      );
    expect(await names('')).not.toContain('Muster');
    expect(await names('&includeHiddenFolders=true')).toContain('Muster');
    expect((await call('POST', `/mailFolders/${made.body.id}/permanentDelete`)).status).toBe(204);
    expect(await shown()).toMatchObject({ folders: [], purges: [{ subject: 'in it' }] });
  });

  it('of the mailbox cannot be removed', async () => {
    expect((await call('DELETE', '/mailFolders/inbox')).body.error?.code).toBe('ErrorDeleteDistinguishedFolder');
  });
});

describe('a $filter', () => {
  const quoted = "o'neil (a) or b";
  beforeEach(async () => {
    for (const subject of ['one', 'two', quoted]) await draft(subject);
    await sendTo('three', [user], { saveToSentItems: false });
  });

  it.each([
    ["subject eq 'one'", ['one']],
    ["subject eq 'ONE'", ['one']],
    ["subject eq 'one' or subject eq 'two'", ['two', 'one']],
    ["startswith(subject,'t')", ['three', 'two']],
    ["contains(subject, 'w') and isDraft eq true", ['two']],
    ['not (isDraft eq true)', ['three']],
    ["subject in ('one', 'three')", ['three', 'one']],
    ["subject eq 'o''neil (a) or b'", [quoted]],
    [`createdDateTime ge 2020-01-01T00:00:00Z and isDraft eq false`, ['three']],
    ['createdDateTime ge 2120-01-01T00:00:00Z', []],
    ["subject ne 'one' and subject ne 'two' and isDraft eq true", [quoted]],
  ])('%s', async (filter, expected) => {
    expect(await list(`$filter=${encodeURIComponent(filter)}`)).toEqual(expected);
  });

  it('looks at paths within a message', async () => {
    const filter = `from/emailAddress/address eq '${user}'`;
    expect(await list(`$filter=${encodeURIComponent(filter)}`, '/mailFolders/inbox/messages')).toEqual(['three']);
  });

  it.each(['subject eq', 'subject = one', "subject eq 'one", "subject eq 'one' # two", 'subject eq one', ''])(
    'that cannot be understood is refused: %s',
    async (filter) => {
      const told = await call('GET', `/messages?$filter=${encodeURIComponent(filter)}`);
      expect([told.status, told.body.error?.code]).toEqual([400, 'BadRequest']);
    },
  );

  it('finds exactly what equals any text, and never fails on any', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (wanted, other) => {
        const filter = parseFilter(`subject eq '${wanted.replaceAll("'", "''")}'`, readPath);
        expect(filter?.equality).toEqual({ path: 'subject', value: wanted });
        expect(filter?.matches({ subject: wanted })).toBe(true);
        expect(filter?.matches({ subject: other })).toBe(wanted.toLowerCase() === other.toLowerCase());
        expect(() => parseFilter(other, readPath)).not.toThrow();
      }),
    );
  });

  it('means the same however and, or and not are nested', () => {
    const { tree } = fc.letrec<{ tree: { text: string; value: boolean } }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.boolean().map((value) => ({ text: `x eq ${value}`, value })),
        tie('tree').map(({ text, value }) => ({ text: `not (${text})`, value: !value })),
        fc
          .tuple(tie('tree'), tie('tree'))
          .map(([a, b]) => ({ text: `(${a.text}) and (${b.text})`, value: a.value && b.value })),
        fc
          .tuple(tie('tree'), tie('tree'))
          .map(([a, b]) => ({ text: `(${a.text}) or (${b.text})`, value: a.value || b.value })),
      ),
    }));
    fc.assert(
      fc.property(tree, ({ text, value }) => {
        expect(parseFilter(text, readPath)?.matches({ x: true })).toBe(value);
      }),
    );
  });
});

it('hands out long lists in pages', async () => {
  for (let n = 1; n <= 12; n += 1) await draft(`p${n}`);
  const first = await call<{ value: Message[]; '@odata.nextLink': string }>('GET', '/messages?$select=subject');
  expect(first.body.value).toHaveLength(10);
  const next = first.body['@odata.nextLink'].slice(`${client.simulator.graphUrl}/v1.0`.length);
  const second = await client.graph<{ value: Message[] }>('GET', next);
  expect(subjects(second.body.value)).toEqual(['p2', 'p1']);
  expect(second.body).not.toHaveProperty('@odata.nextLink');
});

describe('what clients leave in all mailboxes', () => {
  it('is nothing at the start, and is counted by kind', async () => {
    const fresh = await openSimulator({
      tenants: [wingtipTenant({ mailboxes: [{ address: at('jane') }, { address: at('omar') }] })],
    });
    const leftovers = () => fresh.control('/leftovers');
    const clean = { drafts: 0, inbox: 0, deleted: 0, sent: 0, folders: 0, addresses: [] };
    expect(await leftovers()).toEqual(clean);
    const jane = `/users/${at('jane')}`;
    const made = await fresh.graph<Message>('POST', `${jane}/messages`, { body: { subject: 'A draft' } });
    expect(await leftovers()).toEqual({ ...clean, drafts: 1, addresses: [at('jane')] });
    await fresh.graph('DELETE', `${jane}/messages/${made.body.id}`);
    expect(await leftovers()).toMatchObject({ drafts: 0, deleted: 1 });
    await fresh.graph('POST', `${jane}/mailFolders`, { body: { displayName: 'A folder' } });
    expect(await leftovers()).toMatchObject({ folders: 1 });
    const send = (subject: string, to: string) =>
      fresh.graph('POST', `${jane}/sendMail`, { body: { message: { subject, toRecipients: recipients(to) } } });
    await send('one', at('omar'));
    await send('bounces', at('nobody'));
    await send('two', at('omar'));
    expect(await leftovers()).toMatchObject({ sent: 3, inbox: 3, addresses: [at('jane'), at('omar')] });
    await fresh.close();
  });

  it('outlives a change of the tenant', async () => {
    await draft('stays');
    client.put(wingtipTenant({ mailboxes: [{ address: user, fault: 'moving' }] }));
    expect(subjects((await shown()).drafts)).toEqual(['stays']);
  });

  it('costs nothing for a mailbox that nobody has written to', () => {
    const store = new MailStore();
    expect(store.peek('t', 'a@b')).toBeUndefined();
    expect([...store.touched()]).toEqual([]);
  });
});
