import ical, { ICalAlarmType, ICalEventBusyStatus } from 'ical-generator';
import type { ExpiringSecret } from '../connections/expiry/expiring-secrets.ts';
import { aboutNewerCredentials } from '../connections/expiry/newer-credential.ts';

const WEEK_SECONDS = 7 * 86_400;

const texts: Record<ExpiringSecret['credential'], { what: string; todo: string }> = {
  clientSecret: {
    what: 'Client secret',
    todo: 'Create a new client secret in the Entra admin center and replace the one of the connection',
  },
  certificate: {
    what: 'Certificate',
    todo: 'Add a new certificate to the app in the Entra admin center and replace the one of the connection',
  },
};

/**
 * Expiring credentials as a calendar (RFC 5545): an event at the instant of each expiry, in UTC, with an alarm a week
 * before. An event keeps its UID when the credential is replaced, so a calendar that subscribes moves it.
 */
export function expiryCalendar(secrets: readonly ExpiringSecret[], now: Date): string {
  const calendar = ical({
    name: 'Expiring client secrets and certificates',
    prodId: { company: 'Muster', product: 'Expiring client secrets', language: 'EN' },
    ttl: 6 * 3600,
  });
  for (const { connectionId, name, credential, expiresAt, state, acknowledgedAt, newer } of secrets) {
    const { what, todo } = texts[credential];
    const sentences = [
      `${todo} ${connectionId}.`,
      ...aboutNewerCredentials(newer),
      ...(acknowledgedAt ? ['Acknowledged.'] : []),
    ];
    const event = calendar.createEvent({
      id: `${connectionId}@muster`,
      stamp: now,
      start: expiresAt,
      end: new Date(expiresAt.getTime() + 30 * 60_000),
      summary: `${what} of ${name} ${state === 'expired' ? 'has expired' : 'expires'}`,
      description: sentences.join(' '),
      busystatus: ICalEventBusyStatus.FREE,
    });
    event.createAlarm({ type: ICalAlarmType.display, triggerBefore: WEEK_SECONDS });
  }
  return calendar.toString();
}
