import { describe, expect, it } from 'vitest';
import { readIdToken } from '../../../../shared/adapters/entra/id-token.ts';

const TENANT = '8a6f3c2e-1111-4222-8333-944444444444';
const OTHER = '00000000-0000-4000-8000-000000000000';
const GLOBAL = 'https://login.microsoftonline.com';
const now = new Date('2026-06-01T12:00:00Z');
const seconds = (minutes: number) => now.getTime() / 1000 + 60 * minutes;

const expected = { clientId: 'app-1', nonce: 'n-1', issuerOrigins: [GLOBAL], now };
const claims = {
  iss: `${GLOBAL}/${TENANT}/v2.0`,
  aud: 'app-1',
  exp: seconds(60),
  tid: TENANT,
  oid: 'person-1',
  nonce: 'n-1',
  wids: ['role-1'],
};

describe('an ID token', () => {
  it('says who has signed in, and with which roles', () => {
    const person = { tenantId: TENANT, objectId: 'person-1', directoryRoles: ['role-1'] };
    expect(readIdToken(claims, expected)).toEqual({ kind: 'signedIn', person });
  });

  it('counts in the cloud of China, whose issuer has another name than its login', () => {
    const iss = `https://login.partner.microsoftonline.cn/${TENANT}/v2.0`;
    const china = ['https://login.chinacloudapi.cn', 'https://login.partner.microsoftonline.cn'];
    expect(readIdToken({ ...claims, iss }, { ...expected, issuerOrigins: china })).toMatchObject({ kind: 'signedIn' });
  });

  it('still counts a little after its end, because our clock may be wrong', () => {
    expect(readIdToken({ ...claims, exp: seconds(-4) }, expected)).toMatchObject({ kind: 'signedIn' });
  });

  it.each([
    ['for another request', { nonce: 'n-2' }, 'another nonce'],
    ['for another app', { aud: 'app-2' }, 'another audience'],
    ['of another cloud', { iss: `https://login.microsoftonline.us/${TENANT}/v2.0` }, 'another issuer'],
    ['issued for another tenant than it names', { iss: `${GLOBAL}/${OTHER}/v2.0` }, 'another issuer'],
    ['that names another tenant than it is issued for', { tid: OTHER }, 'another issuer'],
    ['of the older endpoint', { iss: `https://sts.windows.net/${TENANT}/` }, 'another issuer'],
    ['that has expired', { exp: seconds(-6) }, 'the ID token has expired'],
    ['without a person', { oid: undefined }, 'the ID token lacks a claim'],
    ['without an end', { exp: undefined }, 'the ID token lacks a claim'],
    ['without an issuer', { iss: undefined }, 'the ID token lacks a claim'],
    ['without a nonce', { nonce: undefined }, 'the ID token lacks a claim'],
  ])('is refused if it is one %s', (_what, change, reason) => {
    expect(readIdToken({ ...claims, ...change }, expected)).toEqual({ kind: 'refused', reason });
  });
});
