import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../../shared/connections/connection.ts';
import {
  applyRegistration,
  findNewerSecret,
  findSecretInUse,
  mayReadRegistration,
  type RegisteredSecret,
  type RegistrationView,
} from '../../../../shared/connections/expiry/app-registration.ts';
import { Secret } from '../../../../shared/kernel/secret.ts';
import { aClientSecret, aConnection, RECORDS_NOW } from '../../../support/records.ts';

const day = (days: number) => new Date(RECORDS_NOW.getTime() + days * 86_400_000);
const secret = (keyId: string, change: Partial<RegisteredSecret> = {}): RegisteredSecret => ({
  keyId,
  hint: 'abc',
  startsAt: day(-10),
  expiresAt: day(100),
  ...change,
});

describe('the secret in use', () => {
  const value = new Secret('abc8Q~value');
  const find = (secrets: RegisteredSecret[]) => findSecretInUse(secrets, value, day(100), RECORDS_NOW)?.keyId;

  it.each<[string, RegisteredSecret[], string | undefined]>([
    ['is the one with its first characters', [secret('1', { hint: 'xyz' }), secret('2')], '2'],
    ['is never one that has expired', [secret('1', { expiresAt: day(-1) }), secret('2', { hint: 'abc' })], '2'],
    ['is the only one that is valid, if old tools made it', [secret('1', { hint: undefined as never })], '1'],
    [
      'is the one with the entered date, of two with the same characters',
      [secret('1'), secret('2', { expiresAt: day(300) })],
      '1',
    ],
    [
      'is not guessed, if two come into question',
      [secret('1', { expiresAt: day(200) }), secret('2', { expiresAt: day(300) })],
      undefined,
    ],
    ['is not one with other first characters', [secret('1', { hint: 'xyz' })], undefined],
    ['is none, if there is none', [], undefined],
  ])('%s', (_, secrets, expected) => {
    expect(find(secrets)).toBe(expected);
  });

  it('is found without its first characters, if only one is valid', () => {
    expect(findSecretInUse([secret('1')], undefined, day(5), RECORDS_NOW)?.keyId).toBe('1');
  });
});

it('a newer secret was made later and expires later. The newest one counts', () => {
  const inUse = secret('1');
  const later = { startsAt: day(-1), expiresAt: day(400) };
  expect(findNewerSecret([inUse, secret('old', { startsAt: day(-90), expiresAt: day(500) })], inUse)).toBeUndefined();
  expect(findNewerSecret([inUse, secret('short', { startsAt: day(-1), expiresAt: day(50) })], inUse)).toBeUndefined();
  const all = [secret('newest', { ...later, startsAt: day(0) }), inUse, secret('newer', later)];
  expect(findNewerSecret(all, inUse)?.keyId).toBe('newest');
});

it('only an app with a permission for registrations is worth asking', () => {
  expect(mayReadRegistration(['Mail.Send', 'Application.Read.All'])).toBe(true);
  expect(mayReadRegistration(['Application.ReadWrite.OwnedBy'])).toBe(true);
  expect(mayReadRegistration(['Mail.Send', 'User.Read.All'])).toBe(false);
});

describe('what Entra shows', () => {
  const connection = aConnection({ credential: aClientSecret({ expiresAt: day(100) }) });
  const view = (expiresAt: Date | undefined, change: Partial<RegistrationView> = {}): RegistrationView => ({
    clientId: connection.clientId,
    version: connection.credential.version,
    checkedAt: RECORDS_NOW,
    isReadable: true,
    ...(expiresAt && { inUse: secret('1', { expiresAt }) }),
    ...change,
  });
  const applied = (current: Connection, seen: RegistrationView | undefined) => {
    const { credential, registration } = applyRegistration(current, seen);
    if (credential.kind === 'deployment') throw new Error('it has a credential of its own');
    return { expiresAt: credential.expiresAt, entered: registration?.enteredExpiresAt };
  };

  it('counts, and what was entered is kept if it was another date', () => {
    expect(applied(connection, view(day(40)))).toEqual({ expiresAt: day(40), entered: day(100) });
    expect(applied(connection, view(day(300)))).toEqual({ expiresAt: day(300), entered: day(100) });
  });

  it('is told once for each finding', () => {
    const told = (one: Connection) => (one.happenings ?? []).map(({ type }) => type);
    const first = applyRegistration(connection, view(day(40)));
    expect(told(first)).toEqual(['secret.checked']);
    expect(first.happenings?.[0]?.expiry).toMatchObject({ expiresAt: day(40), daysLeft: 40 });
    const second = applyRegistration(first, view(day(40), { checkedAt: day(1) }));
    expect(told(second)).toHaveLength(1);
    const newer = secret('2', { expiresAt: day(300) });
    const third = applyRegistration(second, view(day(40), { checkedAt: day(2), newer }));
    expect(told(third)).toHaveLength(2);
    expect(told(applyRegistration(third, view(day(40), { checkedAt: day(3), newer })))).toHaveLength(2);
    // The hour is no finding.
    expect(told(applyRegistration(connection, view(day(100.5))))).toEqual([]);
  });

  it('corrects the hour, which the portal does not show, without a word', () => {
    expect(applied(connection, view(day(100.9)))).toEqual({ expiresAt: day(100.9), entered: undefined });
    expect(applied(connection, view(day(99.5)))).toEqual({ expiresAt: day(99.5), entered: undefined });
  });

  it('goes on telling the difference each day, until somebody enters another date', () => {
    const first = applyRegistration(connection, view(day(40)));
    expect(applied(first, view(day(40)))).toEqual({ expiresAt: day(40), entered: day(100) });
    const corrected = { ...first, credential: aClientSecret({ expiresAt: day(41) }) };
    expect(applied(corrected, view(day(40)))).toEqual({ expiresAt: day(40), entered: undefined });
    const wrongAgain = { ...first, credential: aClientSecret({ expiresAt: day(90) }) };
    expect(applied(wrongAgain, view(day(40)))).toEqual({ expiresAt: day(40), entered: day(90) });
  });

  it('changes no date if it does not tell which secret is in use, and nothing for another secret', () => {
    expect(applied(connection, view(undefined))).toEqual({ expiresAt: day(100), entered: undefined });
    expect(applyRegistration(connection, view(day(40), { version: 'other' }))).toBe(connection);
    expect(applyRegistration(connection, view(day(40), { clientId: 'another app' }))).toBe(connection);
    expect(applyRegistration(connection, undefined)).toBe(connection);
  });
});
