import { expect, it } from 'vitest';
import type { PartAnswer } from '../../../../shared/adapters/graph/batch.ts';
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
    value: { kind: 'nothing' },
  });
});

it.each([429, 424, 509, 503, 504])(
  'returns the refusal instead of finding no owner if a part is answered with %i',
  async (status) => {
    expect(await lookUp({ user: none, group: refused(status), contact: none })).toEqual(refused(status));
  },
);
