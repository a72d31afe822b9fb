import { describe, expect, it } from 'vitest';
import { type Permission, type Role, roles } from '../../shared/kernel/actor.ts';
import { createApi, OPERATOR_KEY } from '../support/api.ts';

/**
 * What each route requires of a key. `open` needs none.
 *
 * - `read`: every role. - `manage`: members run imports and look after mailboxes. A member also tests a connection: the
 * test changes none of its settings, and a paused import cannot be resumed before a test has passed.
 * - `administer`: owners. Keys, and everything that decides how a tenant is reached: its settings, secret and consent.
 * - `operate`: operators.
 */
const permissions: Record<string, Permission | 'open'> = {
  'health-get': 'open',
  'health-ready': 'open',
  'consent-callback': 'open',
  'consent-sign-in': 'open',
  'consent-confirm': 'open',
  'openapi-get': 'open',
  'docs-page': 'open',
  'docs-asset': 'open',
  'problem-page': 'open',
  'unknown-route': 'open',

  'customers-create': 'operate',
  'customers-list': 'operate',
  'customers-get': 'read',
  'customers-update': 'administer',
  'customers-delete': 'administer',
  'customers-restore': 'operate',
  'api-keys-create': 'administer',
  'api-keys-list': 'administer',
  'api-keys-rotate': 'administer',
  'api-keys-delete': 'administer',
  'audit-list': 'administer',
  'me-get': 'read',

  'connections-create': 'administer',
  'connections-list': 'read',
  'connections-get': 'read',
  'connections-update': 'administer',
  'connections-delete': 'administer',
  'connections-replace-client-secret': 'administer',
  'connections-restore-client-secret': 'administer',
  'connections-download-certificate': 'read',
  'connections-make-certificate': 'administer',
  'connections-discard-certificate': 'administer',
  'connections-replace-certificate': 'administer',
  'connections-restore-certificate': 'administer',
  'connections-consent': 'administer',
  'connections-setup-script': 'read',
  'setup-script': 'read',
  'connections-test': 'manage',
  'connections-scope-check': 'administer',
  'expiring-secrets-list': 'read',
  'expiry-alerts-get': 'read',
  'expiry-alerts-update': 'administer',
  'alert-emails-create': 'administer',
  'alert-emails-list': 'read',
  'alert-emails-get': 'read',
  'alert-emails-resend': 'administer',
  'connections-snooze-alerts': 'manage',
  'connections-acknowledge-alerts': 'manage',
  'connections-resume-alerts': 'manage',
  'connections-snooze-certificate-alerts': 'manage',
  'connections-acknowledge-certificate-alerts': 'manage',
  'connections-resume-certificate-alerts': 'manage',

  'operations-queues-list': 'operate',
  'operations-imports-list': 'operate',
  'operations-heartbeats-list': 'operate',
  'operations-poison-list': 'operate',
  'operations-poison-requeue': 'operate',
  'operations-poison-discard': 'operate',
  'operations-poison-requeue-all': 'operate',
  'operations-poison-discard-all': 'operate',

  'webhooks-create': 'administer',
  'webhooks-list': 'read',
  'webhooks-get': 'read',
  'webhooks-update': 'administer',
  'webhooks-delete': 'administer',
  'webhooks-rotate': 'administer',
  'webhooks-ping': 'administer',
  'webhooks-deliveries-list': 'read',
  'webhooks-deliveries-get': 'read',
  'webhooks-deliveries-redeliver': 'administer',

  'imports-create': 'manage',
  'imports-list': 'read',
  'imports-get': 'read',
  'imports-events': 'read',
  'imports-rows': 'read',
  'imports-summary': 'read',
  'imports-report-csv': 'read',
  'imports-report-json': 'read',
  'imports-failed-csv': 'read',
  'imports-pause': 'manage',
  'imports-resume': 'manage',
  'imports-retry-failed': 'manage',
  'imports-cancel': 'manage',
  'mailboxes-list': 'read',
  'mailboxes-get': 'read',
  'mailboxes-update': 'manage',
  'mailboxes-pause': 'manage',
  'mailboxes-resume': 'manage',
  'mailboxes-disconnect': 'manage',
  'mailboxes-remove': 'manage',
  'directory-list': 'read',
  'directory-export-csv': 'read',
  'directory-refresh': 'manage',
  'mailboxes-check': 'manage',
  'mailboxes-reconnect': 'manage',
  'mailbox-actions-create': 'manage',
  'mailbox-actions-list': 'read',
  'mailbox-actions-get': 'read',
  'mailbox-actions-rows': 'read',
  'mailbox-actions-events': 'read',
  'mailbox-actions-pause': 'manage',
  'mailbox-actions-resume': 'manage',
  'mailbox-actions-cancel': 'manage',
};

/** The roles that api.md gives each permission. */
const allowed: Record<Permission, readonly Role[]> = {
  read: ['viewer', 'member', 'owner', 'operator'],
  manage: ['member', 'owner', 'operator'],
  administer: ['owner', 'operator'],
  operate: ['operator'],
};

const { routes } = createApi();

it('states the permission of every route', () => {
  expect(routes.map(({ name }) => name).sort()).toEqual(Object.keys(permissions).sort());
});

describe.each(Object.entries(permissions))('%s: %s', (name, permission) => {
  const route = routes.find((one) => one.name === name);
  const method = route?.methods?.[0] ?? '';
  const path = `/${route?.route?.replaceAll(/\{\w+\}/g, 'some_id')}`;

  it.each(roles)('answers 403 to a key with the role %s only if the role lacks the permission', async (role) => {
    const api = createApi();
    const acme = await api.customer();
    const key = role === 'operator' ? OPERATOR_KEY : await api.keyFor(acme.id, role);
    const { status } = await api.request(method, path, { key, headers: { 'muster-customer': acme.id } });
    const isAllowed = permission === 'open' || allowed[permission].includes(role);
    expect(status === 403).toBe(!isAllowed);
  });
});
