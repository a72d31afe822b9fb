import type { ConnectionFinding } from '../causes/verdict.ts';
import { createRepeatableIds } from '../kernel/ids.ts';
import type { Connection } from './connection.ts';

/** Something that has happened to a connection, until it is published. */
export interface ConnectionHappening {
  /** The ID of the event that it becomes. */
  id: string;
  type: 'connection.consented' | 'connection.failing' | 'secret.expiring' | 'secret.expired' | 'secret.checked';
  happenedAt: Date;
  /** Why it is failing. */
  finding?: ConnectionFinding;
  /** When the credential expires, and which threshold it has reached. */
  expiry?: SecretExpiry;
}

export interface SecretExpiry {
  expiresAt: Date;
  daysLeft: number;
  threshold?: { daysBefore: number } | { lifetimeLeft: number };
}

/** More than can come together before they are published. Only a connection that nobody publishes loses its oldest. */
const HAPPENINGS_MAX = 30;

/** The changed connection, with what has happened by this change: it was consented to, or it began to fail. */
export function withHappenings(before: Connection, after: Connection): Connection {
  const happened: ConnectionHappening[] = [];
  const { consentedAt, finding } = after;
  if (consentedAt && consentedAt.getTime() !== before.consentedAt?.getTime()) {
    happened.push(happening(after, 'connection.consented', consentedAt));
  }
  if (after.status === 'failing' && before.status !== 'failing' && finding) {
    happened.push({ ...happening(after, 'connection.failing', finding.seenAt), finding });
  }
  return happened.length === 0 ? after : addHappenings(after, happened);
}

export function addHappenings(connection: Connection, happened: readonly ConnectionHappening[]): Connection {
  return { ...connection, happenings: [...(connection.happenings ?? []), ...happened].slice(-HAPPENINGS_MAX) };
}

export function secretHappening(
  connection: Connection,
  type: 'secret.expiring' | 'secret.expired' | 'secret.checked',
  happenedAt: Date,
  expiry: SecretExpiry,
): ConnectionHappening {
  return { ...happening(connection, type, happenedAt), expiry };
}

/** The same happening has the same ID, each time that it is noted. */
function happening({ id }: Connection, type: ConnectionHappening['type'], happenedAt: Date): ConnectionHappening {
  const eventId = createRepeatableIds(`${id}\n${type}\n${happenedAt.toISOString()}`, happenedAt)('evt');
  return { id: eventId, type, happenedAt };
}
