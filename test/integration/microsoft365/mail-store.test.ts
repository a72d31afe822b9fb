import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseFilter, readPath } from '../../../local/microsoft365/graph/odata-filter.ts';
import { MailStore } from '../../../local/microsoft365/mail-store.ts';
import type { MailboxFault, ScenarioTenantInput } from '../../../local/microsoft365/scenario.ts';
import {
  type ErrorBody,
  openSimulator,
  type RequestOptions,
  startSimulatedTenant,
} from '../../support/simulator-client.ts';
import { at, wingtipTenant } from '../../support/wingtip.ts';

interface Message extends ErrorBody {
  id: string;
  subject: string;
  parentFolderId: string;
  [property: string]: unknown;
}

/** The control service's view of a mailbox. */
interface MailboxView {
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

const client = await startSimulatedTenant();
let count = 0;
/** A mailbox that no test has used before. */
let user: string;

/** Gives `user` a new mailbox with the fault. */
function newMailbox(fault: MailboxFault = null, more: Partial<ScenarioTenantInput> = {}): void {
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
beforeEach(() => newMailbox());

const call = <T = Message>(method: string, path: string, options?: RequestOptions) =>
  client.graph<T>(method, `/users/${user}${path}`, options);
const createDraft = (subject: string, headers: Record<string, string> = {}, more: object = {}) =>
  call('POST', '/messages', { body: { subject, ...more }, headers });
const recipients = (...addresses: string[]) => addresses.map((address) => ({ emailAddress: { address } }));
const sendTo = (subject: string, addresses: string[], more: object = {}) =>
  call('POST', '/sendMail', { body: { message: { subject, toRecipients: recipients(...addresses) }, ...more } });
const view = (address = user) => client.control<MailboxView>(`/mailboxes/${address}`);
const subjects = (messages: { subject: string }[]) => messages.map(({ subject }) => subject);
const list = async (query: string, path = '/messages') => {
  const result = await call<{ value: Message[] }>('GET', `${path}?${query}`);
  expect(result.status).toBe(200);
  return subjects(result.body.value);
};

describe('a draft', () => {
  it('is in Drafts and has the properties of a new message', async () => {
    const result = await createDraft('A draft', immutable);
    expect(result.status).toBe(201);
    expect(result.headers.get('preference-applied')).toBe('IdType="ImmutableId"');
    expect(result.body).toMatchObject({
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
    expect(result.body).not.toHaveProperty('from');
    expect(result.body).not.toHaveProperty('sender');
    expect(await view()).toMatchObject({ drafts: [{ subject: 'A draft', isDraft: true }], inbox: [], sent: [] });
  });

  it('moves to Deleted Items when deleted, and can no longer be found when deleted again', async () => {
    const { body } = await createDraft('x', immutable);
    const removed = await call('DELETE', `/messages/${body.id}`);
    expect([removed.status, removed.text]).toEqual([204, '']);
    expect(await view()).toMatchObject({ drafts: [], deleted: [{ subject: 'x' }], purges: [] });
    expect((await call('DELETE', `/messages/${body.id}`)).status).toBe(204);
    expect(await view()).toMatchObject({ deleted: [], purges: [{ subject: 'x' }] });
    expect((await call('DELETE', `/messages/${body.id}`)).body.error?.code).toBe('ErrorItemNotFound');
  });

  it('can no longer be found when permanently deleted', async () => {
    const { body } = await createDraft('x');
    const removed = await call('POST', `/messages/${body.id}/permanentDelete`);
    expect([removed.status, removed.text]).toEqual([204, '']);
    expect(await view()).toMatchObject({ drafts: [], deleted: [], purges: [{ subject: 'x' }] });
    expect(await list(`$filter=subject eq 'x'`)).toEqual([]);
    expect((await call('GET', `/messages/${body.id}`)).status).toBe(404);
  });

  it('gets a new ordinary id with each move, and keeps its immutable id', async () => {
    const original = (await createDraft('x')).body;
    const [{ id: immutableId } = { id: '' }] = (
      await call<{ value: Message[] }>('GET', '/messages', { headers: immutable })
    ).body.value;
    expect(immutableId).not.toBe(original.id);
    const moved = await call('POST', `/messages/${original.id}/move`, { body: { destinationId: 'inbox' } });
    expect(moved.status).toBe(201);
    expect(moved.body.id).not.toBe(original.id);
    expect((await call('GET', `/messages/${original.id}`)).status).toBe(404);
    expect((await call('GET', `/messages/${moved.body.id}`)).status).toBe(200);
    const result = await call('GET', `/messages/${immutableId}`, { headers: immutable });
    expect([result.status, result.body.id, result.body.parentFolderId]).toEqual([
      200,
      immutableId,
      moved.body.parentFolderId,
    ]);
  });

  it('can be updated and sent', async () => {
    const { body } = await createDraft('before');
    await call('PATCH', `/messages/${body.id}`, { body: { subject: 'after', toRecipients: recipients(elsewhere) } });
    const sent = await call('POST', `/messages/${body.id}/send`);
    expect([sent.status, sent.text]).toEqual([202, '']);
    expect(await view()).toMatchObject({
      drafts: [],
      sent: [{ subject: 'after', to: [elsewhere], via: 'graph' }],
      sentItems: [{ subject: 'after' }],
    });
  });

  it('without a recipient is not sent and stays in Drafts', async () => {
    const { body } = await createDraft('x');
    expect((await call('POST', `/messages/${body.id}/send`)).body.error?.code).toBe('ErrorInvalidRecipients');
    expect(await view()).toMatchObject({ drafts: [{ subject: 'x' }], sent: [] });
  });

  it('can be created from MIME', async () => {
    const mime = 'Subject: In\r\n MIME\r\nTo: Jane <jane@wingtip.example>, omar@wingtip.example\r\n\r\nHello';
    const body = Buffer.from(mime).toString('base64');
    const result = await call('POST', '/messages', { body, headers: { 'Content-Type': 'text/plain' } });
    expect(result.body).toMatchObject({
      subject: 'In MIME',
      toRecipients: recipients('jane@wingtip.example', 'omar@wingtip.example'),
      body: { content: 'Hello' },
    });
  });
});

describe('a sent message', () => {
  it('leaves a copy in Sent Items unless saveToSentItems is false', async () => {
    const result = await sendTo('saved', [elsewhere]);
    expect([result.status, result.headers.get('content-length'), result.text]).toEqual([202, '0', '']);
    await sendTo('not saved', [elsewhere], { saveToSentItems: false });
    await sendTo('not saved either', [elsewhere], { saveToSentItems: 'false' });
    const { sent, sentItems, inbox, drafts } = await view();
    expect(subjects(sent)).toEqual(['saved', 'not saved', 'not saved either']);
    expect(subjects(sentItems)).toEqual(['saved']);
    expect([inbox, drafts]).toEqual([[], []]);
  });

  it('to the sender itself arrives in the inbox with its headers', async () => {
    const internetMessageHeaders = [{ name: 'x-muster-check', value: '1' }];
    const message = { subject: 'to myself', toRecipients: recipients(user), internetMessageHeaders };
    await call('POST', '/sendMail', { body: { message, saveToSentItems: false } });
    expect(await view()).toMatchObject({ inbox: [{ subject: 'to myself', isDraft: false }], sentItems: [] });
    const { body } = await call<{ value: Message[] }>(
      'GET',
      '/mailFolders/inbox/messages?$select=subject,from,isRead,internetMessageHeaders',
    );
    expect(body.value).toMatchObject([
      { from: { emailAddress: { address: user } }, isRead: false, internetMessageHeaders },
    ]);
  });

  it('reaches another mailbox by alias', async () => {
    await sendTo('hello', [at('alias')]);
    expect(subjects((await view(at('jane'))).inbox)).toContain('hello');
  });

  it('to an unknown address of the tenant comes back as undeliverable', async () => {
    expect((await sendTo('Muster check', [at('nobody'), elsewhere])).status).toBe(202);
    expect(subjects((await view()).inbox)).toEqual(['Undeliverable: Muster check']);
  });

  it('leaves nothing behind if it is refused, or a draft if the scenario says so', async () => {
    await sendTo('empty', []);
    expect(await view()).toMatchObject({ drafts: [], sent: [], sentItems: [] });
    newMailbox(null, { sendLeavesDraft: true });
    await sendTo('empty', []);
    const from = { emailAddress: { address: at('boss') } };
    await call('POST', '/sendMail', {
      body: { message: { subject: 'as the boss', toRecipients: recipients(elsewhere), from } },
    });
    expect(subjects((await view()).drafts)).toEqual(['empty', 'as the boss']);
    expect((await view()).sent).toEqual([]);
  });

  it('can go out without a recipient if the scenario says so', async () => {
    newMailbox('sendAccepted');
    expect((await sendTo('mishap', [])).status).toBe(202);
    expect((await view()).sent).toMatchObject([{ subject: 'mishap', to: [] }]);
  });
});

describe('the fault', () => {
  it('lostDraft creates the draft and loses the response once', async () => {
    newMailbox('lostDraft');
    await expect(createDraft('lost')).rejects.toThrow();
    expect((await createDraft('found')).status).toBe(201);
    expect(subjects((await view()).drafts)).toEqual(['lost', 'found']);
  });

  it('lostDraft loses the whole response of a batch', async () => {
    newMailbox('lostDraft');
    const part = {
      id: '1',
      method: 'POST',
      url: `/users/${user}/messages`,
      headers: { 'Content-Type': 'application/json' },
      body: { subject: 'lost' },
    };
    await expect(client.graph('POST', '/$batch', { body: { requests: [part] } })).rejects.toThrow();
    expect(subjects((await view()).drafts)).toEqual(['lost']);
  });

  it('full refuses writes but not sending', async () => {
    newMailbox('full');
    expect((await createDraft('x')).status).toBe(507);
    expect((await sendTo('x', [])).body.error?.code).toBe('ErrorInvalidRecipients');
    expect((await view()).drafts).toEqual([]);
  });
});

describe('a folder', () => {
  it('can be hidden, hold a draft, and be removed together with it', async () => {
    const created = await call('POST', '/mailFolders', { body: { displayName: 'Muster', isHidden: true } });
    expect(created.status).toBe(201);
    expect(
      (await call('POST', `/mailFolders/${created.body.id}/messages`, { body: { subject: 'in it' } })).status,
    ).toBe(201);
    expect((await view()).folders).toMatchObject([
      { displayName: 'Muster', isHidden: true, messages: [{ subject: 'in it' }] },
    ]);
    const names = async (query: string) =>
      (await call<{ value: { displayName: string }[] }>('GET', `/mailFolders?$top=50${query}`)).body.value.map(
        ({ displayName }) => displayName,
      );
    expect(await names('')).not.toContain('Muster');
    expect(await names('&includeHiddenFolders=true')).toContain('Muster');
    expect((await call('POST', `/mailFolders/${created.body.id}/permanentDelete`)).status).toBe(204);
    expect(await view()).toMatchObject({ folders: [], purges: [{ subject: 'in it' }] });
  });

  it('that is well-known cannot be removed', async () => {
    expect((await call('DELETE', '/mailFolders/inbox')).body.error?.code).toBe('ErrorDeleteDistinguishedFolder');
  });
});

describe('a $filter', () => {
  const quoted = "o'neil (a) or b";
  beforeEach(async () => {
    for (const subject of ['one', 'two', quoted]) await createDraft(subject);
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

  it('can use a path into a message', async () => {
    const filter = `from/emailAddress/address eq '${user}'`;
    expect(await list(`$filter=${encodeURIComponent(filter)}`, '/mailFolders/inbox/messages')).toEqual(['three']);
  });

  it.each(['subject eq', 'subject = one', "subject eq 'one", "subject eq 'one' # two", 'subject eq one', ''])(
    'is refused if it cannot be parsed: %s',
    async (filter) => {
      const result = await call('GET', `/messages?$filter=${encodeURIComponent(filter)}`);
      expect([result.status, result.body.error?.code]).toEqual([400, 'BadRequest']);
    },
  );

  it('matches exactly the equal texts, for any text, and parsing never throws', () => {
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

  it('evaluates any nesting of and, or and not', () => {
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

it('returns a long list in pages', async () => {
  for (let n = 1; n <= 12; n += 1) await createDraft(`p${n}`);
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
    const draft = await fresh.graph<Message>('POST', `${jane}/messages`, { body: { subject: 'A draft' } });
    expect(await leftovers()).toEqual({ ...clean, drafts: 1, addresses: [at('jane')] });
    await fresh.graph('DELETE', `${jane}/messages/${draft.body.id}`);
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

  it('survive a change of the tenant', async () => {
    await createDraft('stays');
    client.put(wingtipTenant({ mailboxes: [{ address: user, fault: 'moving' }] }));
    expect(subjects((await view()).drafts)).toEqual(['stays']);
  });

  it('take no memory for a mailbox that was never written to', () => {
    const store = new MailStore();
    expect(store.peek('t', 'a@b')).toBeUndefined();
    expect([...store.touched()]).toEqual([]);
  });
});
