import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../../shared/connections/connection.ts';
import {
  applyRegistration,
  type RegisteredCertificate,
  type RegistrationView,
} from '../../../../shared/connections/expiry/app-registration.ts';
import {
  aboutNewerCredentials,
  findNewerCertificate,
  newerCredentialsOf,
} from '../../../../shared/connections/expiry/newer-credential.ts';
import { aCertificate, aClientSecret, aConnection, RECORDS_NOW } from '../../../support/records.ts';

const day = (days: number) => new Date(RECORDS_NOW.getTime() + days * 86_400_000);
const listed = (keyId: string, change: Partial<RegisteredCertificate> = {}): RegisteredCertificate => ({
  keyId,
  thumbprint: keyId.repeat(40),
  startsAt: day(5),
  expiresAt: day(700),
  ...change,
});
const certificate = (digit: string) => {
  const one = aCertificate();
  return {
    ...one,
    expiresAt: day(100),
    certificate: { ...one.certificate, thumbprint: digit.toUpperCase().repeat(40) },
  };
};
const withCertificate = (change: Partial<Connection> = {}) => aConnection({ credential: certificate('a'), ...change });
const view = (connection: Connection, change: Partial<RegistrationView> = {}): RegistrationView => ({
  clientId: connection.clientId,
  version: connection.credential.version,
  checkedAt: RECORDS_NOW,
  isReadable: true,
  ...change,
});

describe('a newer certificate', () => {
  const inUse = listed('a', { startsAt: day(0), expiresAt: day(100) });
  const find = (connection: Connection, ...others: RegisteredCertificate[]) =>
    findNewerCertificate(connection, [inUse, ...others], undefined, RECORDS_NOW)?.keyId;

  it('was made after the one in use, and expires after it. The newest one counts', () => {
    expect(find(withCertificate())).toBeUndefined();
    expect(find(withCertificate(), listed('1', { startsAt: day(-1) }))).toBeUndefined();
    expect(find(withCertificate(), listed('1', { expiresAt: day(90) }))).toBeUndefined();
    expect(find(withCertificate(), listed('1', { startsAt: day(7) }), listed('2'))).toBe('1');
  });

  it('is never the one in use or the one before it, however Entra shows the thumbprint', () => {
    const sha256 = aCertificate().certificate.thumbprintSha256.toLowerCase();
    expect(find(withCertificate(), listed('1', { thumbprint: sha256 }))).toBeUndefined();
    const previousCredential = { ...certificate('c'), removeAt: day(3) };
    expect(find(withCertificate({ previousCredential }), listed('c'))).toBeUndefined();
    expect(find(withCertificate(), listed('c'))).toBe('c');
  });

  it('is compared with a client secret, if one is in use and known', () => {
    const connection = aConnection({ credential: aClientSecret() });
    const of = (startsAt: Date) =>
      findNewerCertificate(connection, [listed('1')], { keyId: 's', startsAt, expiresAt: day(100) }, RECORDS_NOW);
    expect(of(day(1))?.keyId).toBe('1');
    expect(of(day(6))).toBeUndefined();
    expect(findNewerCertificate(connection, [listed('1')], undefined, RECORDS_NOW)).toBeUndefined();
  });

  it('is the next certificate of the connection, as soon as the app has it', () => {
    const nextCertificate = certificate('e');
    const connection = aConnection({ credential: aClientSecret(), nextCertificate });
    const all = [listed('1', { startsAt: day(9) }), listed('e', { startsAt: day(1) })];
    expect(findNewerCertificate(connection, all, undefined, RECORDS_NOW)?.keyId).toBe('e');
    const gone = [listed('e', { expiresAt: day(-1) })];
    expect(findNewerCertificate(connection, gone, undefined, RECORDS_NOW)).toBeUndefined();
  });
});

describe('what Entra shows beside a certificate', () => {
  const told = ({ happenings = [] }: Connection) => happenings.map(({ type }) => type);

  it('is told once for each newer certificate, and changes no date', () => {
    const connection = withCertificate();
    const nothing = applyRegistration(connection, view(connection));
    expect(told(nothing)).toEqual([]);
    const first = applyRegistration(nothing, view(connection, { newerCertificate: listed('1') }));
    expect(told(first)).toEqual(['secret.checked']);
    expect(first.happenings?.[0]?.expiry).toEqual({ expiresAt: day(100), daysLeft: 100 });
    expect(first.credential).toEqual(connection.credential);
    const again = applyRegistration(first, view(connection, { checkedAt: day(1), newerCertificate: listed('1') }));
    expect(told(again)).toHaveLength(1);
    const other = applyRegistration(again, view(connection, { checkedAt: day(2), newerCertificate: listed('2') }));
    expect(told(other)).toHaveLength(2);
  });

  it('says what to do', () => {
    const connection = withCertificate({ nextCertificate: certificate('e') });
    const about = (newerCertificate: RegisteredCertificate) =>
      aboutNewerCredentials(
        newerCredentialsOf({ ...connection, registration: view(connection, { newerCertificate }) }),
      ).join('\n');
    expect(about(listed('1', { name: 'Muster 2027' }))).toBe(
      `A newer certificate “Muster 2027” exists in Microsoft Entra, until 2028-05-01. Its thumbprint is ${'1'.repeat(40)}. If it was made for this connection, upload it with its private key. Then you need no other one.`,
    );
    expect(about(listed('e'))).toBe(
      'The app already has the next certificate of this connection, until 2028-05-01. Put it into use. Then you need no other one.',
    );
  });
});
