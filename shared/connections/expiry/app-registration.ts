import type { Secret } from '../../kernel/secret.ts';
import { type Connection, hasOwnApp, type OwnConnection } from '../connection.ts';
import { daysLeft } from '../credentials/credential.ts';
import { addHappenings, secretHappening } from '../happenings.ts';
import type { AppToken } from '../tokens.ts';

/** A client secret as the registration of an app lists it: never its Value. */
export interface RegisteredSecret {
  /** The portal calls it Secret ID. */
  keyId: string;
  name?: string;
  /** The first three characters of the Value. Absent from secrets that old tools made. */
  hint?: string;
  startsAt?: Date;
  expiresAt: Date;
}

/** A certificate as the registration of an app lists it. */
export interface RegisteredCertificate {
  keyId: string;
  name?: string;
  /** In hex, lower case. */
  thumbprint?: string;
  startsAt?: Date;
  expiresAt: Date;
}

export type RegistrationAnswer =
  | { kind: 'read'; secrets: RegisteredSecret[]; certificates: RegisteredCertificate[] }
  /** The app may not read its registration, or it is in another tenant. */
  | { kind: 'refused' }
  | { kind: 'unavailable' };

/** Reads what Microsoft Entra shows about the credentials of an app. Never rejects. */
export interface AppRegistrations {
  read(connection: Connection, token: AppToken): Promise<RegistrationAnswer>;
}

/** What Microsoft Entra has shown about the credential of a connection. */
export interface RegistrationView {
  /** Which app it was, and which of the connection's credentials was in use. */
  clientId: string;
  version: string;
  checkedAt: Date;
  isReadable: boolean;
  /** The client secret in use. Absent if the registration does not tell which one it is. */
  inUse?: RegisteredSecret;
  /** The newest secret that was made after the one in use and expires after it. */
  newer?: RegisteredSecret;
  /** A newer certificate, or the next one of the connection. */
  newerCertificate?: RegisteredCertificate;
  /** What was entered as the expiry, if Entra shows another one. */
  enteredExpiresAt?: Date;
}

/** The permissions with which an app may be able to read its own registration. The last one needs ownership. */
const readRoles: ReadonlySet<string> = new Set([
  'Application.Read.All',
  'Application.ReadWrite.All',
  'Directory.Read.All',
  'Directory.ReadWrite.All',
  'Application.ReadWrite.OwnedBy',
]);

/** Whether a token shows a permission to read registrations. Without it, asking is of no use. */
export function mayReadRegistration(roles: readonly string[]): boolean {
  return roles.some((role) => readRoles.has(role));
}

/**
 * Finds the secret in use among those that Entra shows. Microsoft has just accepted it, so it has not expired. `undefined`
 * if several come into question: a wrong date would be worse than none.
 *
 * @param value the secret in use, if the vault has it
 * @param entered the expiry that was entered: of two secrets with the same hint, it tells which one is meant
 */
export function findSecretInUse(
  secrets: readonly RegisteredSecret[],
  value: Pick<Secret, 'startsWith'> | undefined,
  entered: Date,
  now: Date,
): RegisteredSecret | undefined {
  const valid = secrets.filter(({ expiresAt }) => expiresAt > now);
  const possible = valid.filter(({ hint }) => hint === undefined || (value?.startsWith(hint) ?? true));
  if (possible.length === 1) return possible[0];
  const meant = possible.filter(({ expiresAt }) => isSameDate(expiresAt, entered));
  return meant.length === 1 ? meant[0] : undefined;
}

/** The newest secret that was made after this one and expires after it. */
export function findNewerSecret(
  secrets: readonly RegisteredSecret[],
  inUse: RegisteredSecret,
): RegisteredSecret | undefined {
  return newestAfter(
    inUse,
    secrets.filter(({ keyId }) => keyId !== inUse.keyId),
  );
}

/** The newest of the credentials that were made after this one and expire after it. */
export function newestAfter<Registered extends { startsAt?: Date; expiresAt: Date }>(
  inUse: { startsAt?: Date; expiresAt: Date },
  registered: readonly Registered[],
): Registered | undefined {
  const startOf = ({ startsAt }: { startsAt?: Date }) => startsAt?.getTime() ?? 0;
  return registered
    .filter((one) => startOf(one) > startOf(inUse) && one.expiresAt > inUse.expiresAt)
    .toSorted((a, b) => startOf(a) - startOf(b))
    .at(-1);
}

/** The portal shows a date in the time zone of the person who reads it. */
const TIME_ZONES_MS = 36 * 3_600_000;

function isSameDate(expiresAt: Date, entered: Date): boolean {
  return Math.abs(expiresAt.getTime() - entered.getTime()) <= TIME_ZONES_MS;
}

/**
 * The connection with what Entra has shown: its client secret expires when Entra says. What was entered is kept if it was another
 * date, and people are told. A view of another credential changes nothing.
 */
export function applyRegistration(connection: Connection, view: RegistrationView | undefined): Connection {
  if (!view || !hasOwnApp(connection) || !isAbout(view, connection)) return connection;
  const { registration: before, credential } = connection;
  const real = view.inUse?.expiresAt;
  if (!real || credential.kind !== 'clientSecret') {
    const shown = { ...connection, registration: view };
    return hasNews(registrationOf(connection), view) ? tellPeople(shown, view.checkedAt) : shown;
  }
  const { expiresAt: current } = credential;
  const isOurs = before && isAbout(before, connection) && before.inUse?.expiresAt.getTime() === current.getTime();
  const entered = isOurs ? before.enteredExpiresAt : current;
  const differs = entered !== undefined && !isSameDate(real, entered);
  const registration = { ...view, ...(differs && { enteredExpiresAt: entered }) };
  const next = { ...connection, credential: { ...credential, expiresAt: real }, registration };
  return hasNews(registrationOf(connection), registration) ? tellPeople(next, view.checkedAt) : next;
}

/** Whether Entra shows something that people have not been told: another date than was entered, or a newer credential. */
function hasNews(
  before: RegistrationView | undefined,
  { inUse, enteredExpiresAt, newer, newerCertificate }: RegistrationView,
): boolean {
  const isOtherDate =
    enteredExpiresAt !== undefined &&
    (enteredExpiresAt.getTime() !== before?.enteredExpiresAt?.getTime() ||
      inUse?.expiresAt.getTime() !== before.inUse?.expiresAt.getTime());
  const isNewer = newer !== undefined && newer.keyId !== before?.newer?.keyId;
  const isNewerCertificate =
    newerCertificate !== undefined && newerCertificate.keyId !== before?.newerCertificate?.keyId;
  return isOtherDate || isNewer || isNewerCertificate;
}

function tellPeople(connection: OwnConnection, now: Date): Connection {
  const { expiresAt } = connection.credential;
  const expiry = { expiresAt, daysLeft: daysLeft(expiresAt, now) };
  return addHappenings(connection, [secretHappening(connection, 'secret.checked', now, expiry)]);
}

/** What was read about the credential in use. What was read about an earlier one, or about another app, says nothing. */
export function registrationOf(connection: Connection): RegistrationView | undefined {
  const { registration } = connection;
  return registration && isAbout(registration, connection) ? registration : undefined;
}

/** What was entered as the expiry, if Entra shows another one. Somebody may have entered it since then. */
export function enteredExpiryOf(connection: Connection): Date | undefined {
  if (!hasOwnApp(connection)) return undefined;
  const { inUse, enteredExpiresAt } = registrationOf(connection) ?? {};
  const { expiresAt: current } = connection.credential;
  if (!inUse || inUse.expiresAt.getTime() === current.getTime()) return enteredExpiresAt;
  return isSameDate(inUse.expiresAt, current) ? undefined : current;
}

function isAbout({ clientId, version }: RegistrationView, connection: Connection): boolean {
  return clientId === connection.clientId && version === connection.credential.version;
}
