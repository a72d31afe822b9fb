import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ConsentCallback, readConsentAnswer } from '../../../../shared/connections/consent/consent-answer.ts';

const denied = (code: string, wording = 'Some wording.'): ConsentCallback => ({
  adminConsent: 'True',
  error: 'access_denied',
  errorDescription: `AADSTS${code}: ${wording}\r\nTrace ID: 7c839d05-4806-48f2-ba40-bf4128382500`,
});

describe('an answer to a request for consent', () => {
  it.each<[string, ConsentCallback, object]>([
    ['granted', { adminConsent: 'TRUE', tenant: 'ABC' }, { kind: 'granted', tenantId: 'abc' }],
    ['an error beats admin_consent', { ...denied('65004'), tenant: 'abc' }, { kind: 'declined', why: 'cancelled' }],
    ['canceled, without a description', { error: 'access_denied', errorSubcode: 'cancel' }, { why: 'cancelled' }],
    ['canceled, on the older page', { error: 'permission_denied' }, { why: 'cancelled' }],
    ['the account may not consent', denied('90093'), { why: 'needsAdmin' }],
    ['only an admin may consent', denied('90094'), { why: 'needsAdmin', cause: 'consent_admin_required' }],
    [
      'a setting of the organization',
      denied(
        '90093',
        'An administrator of Contoso has set a policy that prevents you from granting App the permissions',
      ),
      {
        why: 'onlyAdmins',
        cause: 'consent_admin_required',
        sentence: expect.stringMatching(/^A policy .* only admin/),
      },
    ],
    ['a personal account', denied('500200'), { why: 'foreignAccount' }],
    ['an account of another organization', denied('50020'), { why: 'foreignAccount', cause: 'consent_wrong_account' }],
    ['Conditional Access', denied('53003'), { why: 'blockedByPolicy', cause: 'consent_blocked_by_policy' }],
    ['an unknown code', denied('1234567'), { why: 'refused', microsoftCode: 'AADSTS1234567' }],
    ['an unknown error', { error: 'something_new' }, { why: 'refused', cause: 'consent_declined' }],
    ['the app is unknown', denied('700016'), { why: 'refused', cause: 'app_not_found' }],
    ['a service is missing', { error: 'invalid_resource' }, { why: 'refused', cause: 'service_missing' }],
    ['a transient problem', denied('90033'), { kind: 'unfinished', microsoftCode: 'AADSTS90033' }],
    ['throttled', denied('90055'), { kind: 'unfinished' }],
    ['a problem of Microsoft’s own', { error: 'server_error' }, { kind: 'unfinished' }],
    ['unavailable', { error: 'temporarily_unavailable' }, { kind: 'unfinished' }],
    ['nothing', {}, { kind: 'incomplete' }],
    ['no tenant', { adminConsent: 'True' }, { kind: 'incomplete' }],
  ])('is read: %s', (_, callback, expected) => {
    expect(readConsentAnswer(callback)).toMatchObject(expected);
  });

  it('is a consent only without an error, with the word True and a tenant, whatever somebody forges', () => {
    const text = fc.option(
      fc.oneof(fc.string(), fc.constantFrom('True', 'access_denied', 'AADSTS50020: x', 'cancel')),
      {
        nil: undefined,
      },
    );
    const callbacks = fc.record({
      ...{ tenant: text, error: text, errorDescription: text, errorSubcode: text, adminConsent: text },
    });
    fc.assert(
      fc.property(callbacks, (callback) => {
        const answer = readConsentAnswer(callback);
        const { error, adminConsent, tenant } = callback;
        expect(answer.kind === 'granted').toBe(!error && adminConsent?.toLowerCase() === 'true' && Boolean(tenant));
        // A forged code cannot name a problem of the credential.
        if (answer.kind === 'declined') expect(answer.cause).not.toMatch(/secret|certificate|vault/);
      }),
    );
  });
});
