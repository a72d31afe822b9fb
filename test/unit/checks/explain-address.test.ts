import { expect, it } from 'vitest';
import { explainAddress } from '../../../shared/checks/explain-address.ts';
import type { Recipient } from '../../../shared/checks/recipients.ts';

const at = new Date('2026-06-01T00:00:00Z');
const notFound = { 'graph.send': { verdict: 'failed', cause: 'mailbox_not_found', checkedAt: at } } as const;
const explain = (value: Recipient) =>
  explainAddress(notFound, 'sales@contoso.example', { kind: 'accepted', value })['graph.send'];

it('names the least permission that would tell more', () => {
  expect(explain({ kind: 'nothing', unread: ['group', 'contact'] })?.detail).toContain(
    'whether it is a group or a contact, grant the app Group.ReadBasic.All and OrgContact.Read.All.',
  );
  expect(explain({ kind: 'nothing', unread: ['contact'] })?.detail).toContain(
    'whether it is a contact, grant the app OrgContact.Read.All.',
  );
  expect(explain({ kind: 'nothing' })).toEqual(notFound['graph.send']);
  const refusal = { service: 'graph', status: 403, code: 'Authorization_RequestDenied', message: '' } as const;
  const refused = explainAddress(notFound, 'sales@contoso.example', { kind: 'refused', refusal });
  expect(refused['graph.send']?.detail).toContain('User.Read.All');
});
