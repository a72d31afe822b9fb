import type { Log, LogLevel } from './log.ts';

/** `text?` and so on: absent where it is not known. `number?` may also be `null`. */
type FieldType = 'text' | 'text?' | 'number' | 'number?' | 'flag' | 'flag?';
type Fields = Readonly<Record<string, FieldType>>;

interface SignalShape {
  level: LogLevel;
  /** When it is written. */
  when: string;
  fields: Fields;
  /** Fields that the log of a request, message or timer adds to each of its lines. */
  bound?: Fields;
}

/**
 * The log lines that the alert rules and the workbook of a deployment query. Each is one line of JSON with its name in
 * `event` and these fields at the top level. A name or a field that changes here changes in `infra/` as well.
 *
 * None of them holds a mailbox address or a secret. Numbers of seconds are whole.
 */
export const signals = {
  request: {
    level: 'info',
    when: 'A request of the API was answered. `role` is absent without a valid key, so a burst of them with status 401 is someone who tries keys.',
    bound: { requestId: 'text', route: 'text' },
    fields: {
      method: 'text',
      status: 'number',
      ms: 'number',
      keyId: 'text?',
      role: 'text?',
      customerId: 'text?',
    },
  },

  queue_watched: {
    level: 'info',
    when: 'Every minute, for each queue. `poisonDepth` counts the poison messages that no operator has requeued or discarded.',
    bound: { timer: 'text' },
    fields: { queue: 'text', depth: 'number', poisonDepth: 'number', oldestAgeSeconds: 'number?' },
  },
  message_poisoned: {
    level: 'error',
    when: 'A message failed five times. Its work is settled, and the message is in the archive.',
    bound: { queueFunction: 'text' },
    fields: { queue: 'text', key: 'text' },
  },
  message_poisoned_malformed: {
    level: 'error',
    when: 'The same, for a message that this version cannot read. Nothing is settled.',
    bound: { queueFunction: 'text' },
    fields: { queue: 'text', key: 'text' },
  },
  poison_left_to_the_sweep: {
    level: 'error',
    when: 'A poison message could be neither settled nor archived. The sweep finds its work.',
    bound: { queueFunction: 'text' },
    fields: { queue: 'text', messageId: 'text' },
  },

  imports_watched: {
    level: 'info',
    when: 'Every minute: how many imports are unfinished, by status.',
    bound: { timer: 'text' },
    fields: {
      open: 'number',
      accepted: 'number',
      planning: 'number',
      running: 'number',
      paused: 'number',
      cancelling: 'number',
      stalled: 'number',
    },
  },
  import_stalled: {
    level: 'warn',
    when: 'Every minute, for each import that should make progress and makes none.',
    bound: { timer: 'text' },
    fields: {
      importId: 'text',
      customerId: 'text',
      connectionId: 'text',
      status: 'text',
      silentSeconds: 'number',
    },
  },
  import_ended: {
    level: 'info',
    when: 'An import has ended.',
    fields: { importId: 'text', customerId: 'text', connectionId: 'text', status: 'text' },
  },
  mailboxes_checked: {
    level: 'info',
    when: 'Verdicts of an import were stored, some together. One line for each verdict and cause among them.',
    fields: { importId: 'text', verdict: 'text', cause: 'text?', mailboxes: 'number' },
  },

  tenant_answered: {
    level: 'info',
    when: 'About once a minute, for each running import: how many requests its tenant has answered, refused because of throttling, and left without an answer since the last line.',
    fields: {
      tenant: 'text',
      importId: 'text',
      customerId: 'text',
      connectionId: 'text',
      accepted: 'number',
      throttled: 'number',
      unanswered: 'number',
    },
  },
  tenant_watched: {
    level: 'info',
    when: 'Every minute, for each tenant of a running import: whether Muster asks it more slowly. `mode` is `free`, `hold`, `paced` or `down`; `limit` is in requests per ten seconds.',
    bound: { timer: 'text' },
    fields: { tenant: 'text', mode: 'text', limit: 'number', imports: 'number' },
  },

  timer_ran: {
    level: 'info',
    when: 'A timer has completed a run. Without these lines, no timer runs.',
    bound: { requestId: 'text', timer: 'text' },
    fields: { ms: 'number', isPastDue: 'flag?' },
  },
  timer_failed: {
    level: 'error',
    when: 'A run of a timer has failed.',
    bound: { requestId: 'text', timer: 'text' },
    fields: {},
  },
  timer_watched: {
    level: 'info',
    when: 'Every minute, for each timer: how long ago it completed a run, and whether it should have run since.',
    bound: { timer: 'text' },
    fields: { watched: 'text', silentSeconds: 'number', isLate: 'flag' },
  },

  client_secret_expiring: {
    level: 'warn',
    when: 'Once a day, for each client secret or certificate that expires soon (`EXPIRING_WITHIN_DAYS`).',
    bound: { timer: 'text' },
    fields: {
      customerId: 'text',
      connectionId: 'text',
      credential: 'text',
      daysLeft: 'number',
      expiresAt: 'text',
    },
  },
  client_secret_expired: {
    level: 'warn',
    when: 'Once a day, for each client secret or certificate that has expired.',
    bound: { timer: 'text' },
    fields: {
      customerId: 'text',
      connectionId: 'text',
      credential: 'text',
      daysLeft: 'number',
      expiresAt: 'text',
    },
  },
  vendor_app_expiring: {
    level: 'error',
    when: 'Once a day, while the client secret or the certificate of the app of the service expires within 30 days (`EXPIRING_WITHIN_DAYS`) or has expired. Then every connection that uses the app fails.',
    bound: { timer: 'text' },
    fields: { credential: 'text', daysLeft: 'number', expiresAt: 'text' },
  },
  secret_expiring: {
    level: 'warn',
    when: 'People are told that a client secret or a certificate expires. Not while its notices are snoozed or acknowledged.',
    fields: { customerId: 'text', connectionId: 'text', daysLeft: 'number', expiresAt: 'text', eventId: 'text' },
  },
  secret_expired: {
    level: 'warn',
    when: 'People are told that a client secret or a certificate has expired.',
    fields: { customerId: 'text', connectionId: 'text', daysLeft: 'number', expiresAt: 'text', eventId: 'text' },
  },
  vault_refused: {
    level: 'error',
    when: 'The key vault has refused the app (401 or 403): a missing role, or a network that the vault does not admit.',
    fields: { status: 'number', code: 'text?' },
  },

  webhook_attempt: {
    level: 'info',
    when: 'An event was sent to a webhook. `result` is `succeeded`, or why it failed.',
    bound: { queueFunction: 'text' },
    fields: {
      customerId: 'text',
      webhookId: 'text',
      deliveryId: 'text',
      result: 'text',
      httpStatus: 'number?',
      durationMs: 'number?',
    },
  },
  webhook_disabled: {
    level: 'warn',
    when: 'A webhook was disabled, because its deliveries failed for days or its receiver is gone.',
    fields: { customerId: 'text', webhookId: 'text', disabledReason: 'text?' },
  },
} as const satisfies Record<string, SignalShape>;

export type SignalName = keyof typeof signals;
export const signalNames = Object.keys(signals) as SignalName[];

interface ValueOf {
  text: string;
  number: number;
  flag: boolean;
}
type Value<Type extends FieldType> = Type extends `${infer Known extends keyof ValueOf}?`
  ? ValueOf[Known] | undefined | (Known extends 'number' ? null : never)
  : Type extends keyof ValueOf
    ? ValueOf[Type]
    : never;
type OptionalOf<Of extends Fields> = { [Name in keyof Of]: Of[Name] extends `${string}?` ? Name : never }[keyof Of];
export type SignalFields<Name extends SignalName> = FieldsOf<(typeof signals)[Name]['fields']>;
type FieldsOf<Of extends Fields> = {
  [Name in Exclude<keyof Of, OptionalOf<Of>>]: Value<Of[Name]>;
} & { [Name in OptionalOf<Of>]?: Value<Of[Name]> };

/** Writes one of the lines that alert rules and the workbook query. `also` is for people who read the line. */
export function signal<Name extends SignalName>(
  log: Log,
  name: Name,
  fields: SignalFields<Name>,
  also: Record<string, unknown> = {},
): void {
  log(signals[name].level, name, { ...fields, ...also });
}

/**
 * The custom metrics of a deployment with telemetry: each is a number of a signal, with these fields as dimensions.
 */
export const metrics = {
  'muster.queue.depth': { signal: 'queue_watched', field: 'depth', kind: 'gauge', by: ['queue'] },
  'muster.queue.poison_depth': { signal: 'queue_watched', field: 'poisonDepth', kind: 'gauge', by: ['queue'] },
  'muster.queue.oldest_age': { signal: 'queue_watched', field: 'oldestAgeSeconds', kind: 'gauge', by: ['queue'] },
  'muster.imports.running': { signal: 'imports_watched', field: 'running', kind: 'gauge', by: [] },
  'muster.imports.stalled': { signal: 'imports_watched', field: 'stalled', kind: 'gauge', by: [] },
  'muster.timer.silence': { signal: 'timer_watched', field: 'silentSeconds', kind: 'gauge', by: ['watched'] },
  'muster.mailboxes.checked': {
    signal: 'mailboxes_checked',
    field: 'mailboxes',
    kind: 'counter',
    by: ['verdict', 'cause'],
  },
  'muster.tenant.accepted': { signal: 'tenant_answered', field: 'accepted', kind: 'counter', by: ['tenant'] },
  'muster.tenant.throttled': { signal: 'tenant_answered', field: 'throttled', kind: 'counter', by: ['tenant'] },
} as const satisfies Record<
  string,
  { signal: SignalName; field: string; kind: 'gauge' | 'counter'; by: readonly string[] }
>;
