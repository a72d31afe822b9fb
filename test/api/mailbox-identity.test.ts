import { expect, it } from 'vitest';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { createApi, DOMAIN } from '../support/api.ts';
import { jsonOf } from '../support/json-of.ts';
import { aMailbox, RECORDS_NOW } from '../support/records.ts';

const at = (name: string) => `${name}@${DOMAIN}`;

it('200: a mailbox shows what identifies it, and its other names as far as the directory tells', async () => {
  const api = createApi();
  const { key } = await api.customer();
  const response = await api.request('POST', '/v1/connections', {
    key,
    body: {
      name: 'Tailspin',
      tenant: DOMAIN,
      clientId: 'e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37',
      clientSecret: GOOD_SECRET,
      clientSecretExpiresAt: '2026-12-01T00:00:00Z',
    },
  });
  const { id } = await jsonOf<{ id: string }>(response);
  const names = { objectId: 'object-of-jane', primaryAddress: at('jane.smith'), signInName: at('jdoe') };
  const mailboxes = [
    aMailbox({ address: at('jane'), identity: { ...names, inboxKey: 'secret-of-ours' }, replacedAt: RECORDS_NOW }),
    aMailbox({ address: at('kim'), identity: { inboxKey: 'secret-of-ours' } }),
    aMailbox({ address: at('lee') }),
  ];
  await api.deps.ledger.commit(
    id,
    mailboxes.map((mailbox) => ({ op: 'createMailbox', mailbox })),
  );
  const listed = await api.request('GET', `/v1/connections/${id}/mailboxes`, { key });
  const { items } = await jsonOf<{ items: object[] }>(listed);
  expect(items).toMatchObject([
    { address: at('jane'), identifiedBy: 'objectId', ...names, replacedAt: RECORDS_NOW.toISOString() },
    { address: at('kim'), identifiedBy: 'inbox' },
    { address: at('lee'), identifiedBy: 'address' },
  ]);
  expect(JSON.stringify(items)).not.toContain('secret-of-ours');
});
