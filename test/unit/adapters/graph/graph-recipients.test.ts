import { expect, it } from 'vitest';
import type { BatchPart, PartAnswer } from '../../../../shared/adapters/graph/batch.ts';
import { graphRecipients } from '../../../../shared/adapters/graph/graph-recipients.ts';
import { Secret } from '../../../../shared/kernel/secret.ts';

const none: PartAnswer = { kind: 'accepted', status: 200, body: { value: [] } };
const refused = (status: number): PartAnswer => ({
  kind: 'refused',
  refusal: { service: 'graph', status, code: status === 403 ? 'Authorization_RequestDenied' : 'anything', message: '' },
});
const lookUp = (parts: Record<'user' | 'group' | 'contact', PartAnswer>) =>
  graphRecipients({
    sendBatch: async () => new Map(Object.entries(parts)),
    clouds: () => ({ graphUrl: 'https://graph.example' }),
  }).lookUp({ cloud: 'global', token: new Secret('token'), address: 'sales@contoso.example' });

it('finds no owner of the address if the readable kinds have none, and ignores kinds that may not be read', async () => {
  expect(await lookUp({ user: none, group: refused(403), contact: none })).toEqual({
    kind: 'accepted',
    value: { kind: 'nothing', unread: ['group'] },
  });
});

it.each([429, 424, 509, 503, 504])(
  'returns the refusal instead of finding no owner if a part is answered with %i',
  async (status) => {
    expect(await lookUp({ user: none, group: refused(status), contact: none })).toEqual(refused(status));
  },
);

const token = new Secret('token');
const at = (name: string) => `${name}@contoso.example`;

/** A directory that answers the parts by their IDs, and what it was asked. */
function aDirectory(answers: Record<string, PartAnswer>) {
  const batches: BatchPart[][] = [];
  const recipients = graphRecipients({
    sendBatch: async (_url, _token, parts) => {
      batches.push([...parts]);
      return new Map(parts.map(({ id }) => [id, answers[id] ?? none]));
    },
    clouds: () => ({ graphUrl: 'https://graph.example' }),
  });
  const lookUp = (address: string, read?: 'basic' | 'full', objectId?: string, as = token) =>
    recipients.lookUp({ cloud: 'global', token: as, address }, read, objectId);
  return { lookUp, idsOf: () => batches.map((parts) => parts.map(({ id }) => id)), batches };
}

it('does not ask a token again for what the directory has refused to it, and asks the next token', async () => {
  const { lookUp, idsOf } = aDirectory({ user: refused(403), group: refused(403), contact: refused(403) });
  expect(await lookUp(at('one'))).toEqual(refused(403));
  expect(await lookUp(at('two'))).toEqual(refused(403));
  expect(await lookUp(at('three'), 'full', 'object-1')).toEqual(refused(403));
  expect(idsOf()).toEqual([['user', 'group', 'contact']]);
  await lookUp(at('one'), 'full', undefined, new Secret('next'));
  expect(idsOf()).toHaveLength(2);
});

it('goes on asking for the kinds that may be read, and after a refusal that is about something else', async () => {
  const { lookUp, idsOf } = aDirectory({ group: refused(403), contact: refused(503) });
  await lookUp(at('one'));
  await lookUp(at('two'));
  expect(idsOf()).toEqual([
    ['user', 'group', 'contact'],
    ['user', 'contact'],
  ]);
});

it('filters by nothing that an app with basic access may not read', async () => {
  const { lookUp, batches } = aDirectory({});
  await lookUp(at('one'), 'basic', 'object-1');
  const urls = (batches[0] ?? []).filter(({ url }) => url.startsWith('/users')).map(({ url }) => url);
  expect(urls).toHaveLength(2);
  for (const url of urls) expect(decodeURIComponent(url)).not.toMatch(/proxyAddresses|userType/);
});

it('finds the user who had the address, if nobody has it any more', async () => {
  const user = { id: 'OBJECT-1', userPrincipalName: 'Jane@contoso.example', mail: 'Jane.Smith@contoso.example' };
  const { lookUp } = aDirectory({ former: { kind: 'accepted', status: 200, body: user } });
  expect(await lookUp(at('jane'), 'full', 'object-1')).toMatchObject({
    value: { kind: 'user', objectId: 'object-1', primaryAddress: at('jane.smith'), signInName: at('jane') },
  });
  const gone = aDirectory({ former: refused(404) });
  expect(await gone.lookUp(at('jane'), 'full', 'object-1')).toMatchObject({ value: { kind: 'nothing' } });
  const silent = aDirectory({ former: { kind: 'lost' } });
  expect(await silent.lookUp(at('jane'), 'full', 'object-1')).toEqual({ kind: 'lost' });
});

it.each([
  [
    'the owner of the address, not another user with that sign-in name',
    [
      { id: 'b', mail: at('b'), userPrincipalName: at('shared') },
      { id: 'a', mail: at('a'), proxyAddresses: [`SMTP:${at('a')}`, `smtp:${at('shared')}`] },
    ],
    'a',
  ],
  [
    'the user with that sign-in name, if it is no address',
    [{ id: 'b', mail: at('b'), userPrincipalName: at('shared') }],
    'b',
  ],
] as const)('takes %s', async (_name, value, objectId) => {
  const { lookUp } = aDirectory({ user: { kind: 'accepted', status: 200, body: { value } } });
  expect(await lookUp(at('shared'))).toMatchObject({ value: { kind: 'user', objectId } });
});

it('knows a guest by the sign-in name, where the type of a user is not shown', async () => {
  const guest = {
    id: 'g',
    mail: 'visitor@fabrikam.example',
    userPrincipalName: 'visitor_fabrikam.example#EXT#@contoso.example',
  };
  const { lookUp } = aDirectory({ user: { kind: 'accepted', status: 200, body: { value: [guest] } } });
  expect(await lookUp('visitor@fabrikam.example', 'basic')).toMatchObject({ value: { kind: 'guest' } });
});
