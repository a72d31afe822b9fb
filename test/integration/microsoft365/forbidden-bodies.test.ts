import { describe, expect, it } from 'vitest';
import { startSimulatedTenant } from '../../support/simulator-client.ts';
import { at, wingtip, wingtipTenant } from '../../support/wingtip.ts';

const client = await startSimulatedTenant({ tenants: [wingtipTenant({ mailboxes: [{ address: at('jane') }] })] });
const user = `/users/${at('jane')}`;

const doesNotExist = (name: string, type = 'message') =>
  `The property '${name}' does not exist on type 'microsoft.graph.${type}'. Make sure to only use property names that are defined by the type or mark the type as open type.`;
const cannotConvert = (type: string) =>
  `Cannot convert a primitive value to the expected type '${type}'. See the inner exception for more details.`;
const unexpected = (found: string, expected: string) =>
  `An unexpected '${found}' node was found when reading from the JSON reader. A '${expected}' node was expected.`;

const forbidden: [what: string, message: object, answer: string][] = [
  [
    'an unknown content type',
    { body: { contentType: 'plain', content: '.' } },
    "Requested value 'plain' was not found.",
  ],
  ['an unknown importance', { importance: 'urgent' }, "Requested value 'urgent' was not found."],
  ['an unknown property', { subjet: 'x' }, doesNotExist('subjet')],
  ['a property in the wrong case', { Subject: 'x' }, doesNotExist('Subject')],
  ['a parameter of sendMail inside the message', { saveToSentItems: false }, doesNotExist('saveToSentItems')],
  [
    'a recipient without emailAddress',
    { toRecipients: [{ address: at('jane') }] },
    doesNotExist('address', 'recipient'),
  ],
  [
    'an unknown property of an address',
    { toRecipients: [{ emailAddress: { address: at('jane'), mail: 'x' } }] },
    doesNotExist('mail', 'emailAddress'),
  ],
  ['a numeric subject', { subject: 1 }, cannotConvert('Edm.String')],
  ['a numeric content type', { body: { contentType: 0 } }, cannotConvert('Edm.String')],
  ['a flag as text', { isRead: 'true' }, cannotConvert('Edm.Boolean')],
  ['a time that is none', { receivedDateTime: 'today' }, cannotConvert('Edm.DateTimeOffset')],
  ['a body as text', { body: 'x' }, unexpected('PrimitiveValue', 'StartObject')],
  ['an object as subject', { subject: {} }, unexpected('StartObject', 'PrimitiveValue')],
  ['an object as content type', { body: { contentType: [] } }, unexpected('StartArray', 'PrimitiveValue')],
  ['one recipient that is not in a list', { toRecipients: {} }, unexpected('StartObject', 'StartArray')],
];

describe.each(forbidden)('what Graph’s metadata forbids: %s', (_, message, answer) => {
  it.each([
    ['POST', `${user}/messages`, message],
    ['POST', `${user}/mailFolders/drafts/messages`, message],
    ['POST', `${user}/sendMail`, { Message: message }],
  ])('%s %s answers 400 RequestBodyRead, and writes nothing', async (method, path, body) => {
    const result = await client.graph(method, path, { body });
    expect([result.status, result.body]).toEqual([400, { error: { code: 'RequestBodyRead', message: answer } }]);
    expect(client.simulator.world.mail.peek(wingtip.id, at('jane'))).toBeUndefined();
  });
});

it('a change of a draft is held to the same metadata', async () => {
  const draft = await client.graph<{ id: string }>('POST', `${user}/messages`, { body: { subject: 'x' } });
  const path = `${user}/messages/${draft.body.id}`;
  const refused = await client.graph('PATCH', path, { body: { subject: 1 } });
  expect([refused.status, refused.body.error?.code]).toEqual([400, 'RequestBodyRead']);
  expect((await client.graph('PATCH', path, { body: { subject: 'y', isRead: true } })).status).toBe(200);
});

it('sendMail has no other parameters', async () => {
  const result = await client.graph('POST', `${user}/sendMail`, { body: { message: {}, silent: true } });
  expect(result.body).toEqual({
    error: {
      code: 'RequestBodyRead',
      message: "The parameter 'silent' in the request payload is not a valid parameter for the operation 'sendMail'.",
    },
  });
});

it('accepts what the metadata allows: null, annotations, enums in any case, and everything that Graph itself shows', async () => {
  const body = {
    '@odata.type': '#microsoft.graph.message',
    subject: null,
    importance: 'High',
    body: { contentType: 'HTML', content: 'x' },
    toRecipients: [{ emailAddress: { address: at('jane'), name: null } }],
    attachments: [{ '@odata.type': '#microsoft.graph.fileAttachment', name: 'a', contentBytes: '' }],
  };
  const created = await client.graph<Record<string, unknown>>('POST', `${user}/messages`, { body });
  expect(created.status).toBe(201);
  const again = await client.graph('POST', `${user}/messages`, { body: created.body });
  expect(again.status).toBe(201);
});
