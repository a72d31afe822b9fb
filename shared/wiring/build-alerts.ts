import { graphEmail } from '../adapters/email/graph-email.ts';
import { smtpEmail } from '../adapters/email/smtp-email.ts';
import { type AlertSettings, type AlertSettingsStore, readAlertSettings } from '../alerts/alert-settings.ts';
import { type SendNoticeDeps, sendNotice, wantsEmail } from '../alerts/send-notice.ts';
import { causes } from '../causes/causes.ts';
import { classify } from '../causes/classify.ts';
import type { Cloud } from '../connections/connection.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import type { Tokens } from '../connections/tokens.ts';
import type { Clock } from '../kernel/clock.ts';
import { createRepeatableIds } from '../kernel/ids.ts';
import type { Log } from '../kernel/log.ts';
import { type SignalFields, signal } from '../kernel/signals.ts';
import { EMAIL } from '../webhooks/deliver-event.ts';
import type { Delivery } from '../webhooks/delivery.ts';
import type { DeliveryStore } from '../webhooks/delivery-store.ts';
import type { EventQueues } from '../webhooks/event-queues.ts';
import type { Event } from '../webhooks/event-types.ts';
import { beginDelivery } from '../webhooks/publish-event.ts';
import type { Webhook } from '../webhooks/webhook.ts';
import type { Config } from './config.ts';

type SecretOfEvent = Pick<SignalFields<'secret_expiring'>, 'connectionId' | 'expiresAt' | 'daysLeft'>;

interface AlertBuildDeps {
  alertSettings: AlertSettingsStore;
  connections: Pick<ConnectionStore, 'get'>;
  tokens: Pick<Tokens, 'get'>;
  clouds: (cloud: Cloud) => { graphUrl: string };
  deliveries: DeliveryStore;
  eventQueues: EventQueues;
  clock: Clock;
  log: Log;
}

/** Builds how people are told: by a log line for operators, and by e-mail to a customer's contacts. */
export function buildAlerts(deps: AlertBuildDeps, settings: Config['settings']) {
  const { alertSettings, log, clock } = deps;
  const timeoutMs = settings.EMAIL_TIMEOUT;
  const mailServer =
    settings.SMTP_URL && settings.EMAIL_FROM
      ? smtpEmail({ url: settings.SMTP_URL, from: settings.EMAIL_FROM, timeoutMs })
      : undefined;

  async function ownMailbox({ customerId, sendFrom }: AlertSettings) {
    const connection = sendFrom && (await deps.connections.get(customerId, sendFrom.connectionId))?.value;
    if (!connection) return { unusable: 'Its connection is gone.' };
    const answer = await deps.tokens.get(connection, 'graph');
    if (!answer.granted)
      return { unusable: `${causes[classify(answer.refusal)].sentence} ${answer.refusal.code}`.trim() };
    const { graphUrl } = deps.clouds(connection.cloud);
    return graphEmail({ graphUrl, token: answer.value.token, address: sendFrom.address, timeoutMs });
  }

  const noticeDeps: SendNoticeDeps = { alertSettings, ownMailbox, mailServer };

  async function tellByEmail(event: Event): Promise<void> {
    const wanted = wantsEmail(await readAlertSettings({ alertSettings }, event.customerId));
    if (wanted) await beginDelivery(deps, EMAIL, event);
  }

  return {
    alertSettings,
    sendEmail: (delivery: Delivery) => sendNotice(noticeDeps, delivery),
    /** A line may come again, with the ID of the same event, if two processes publish it at the same moment. */
    async alsoTell(event: Event): Promise<void> {
      const { customerId, id: eventId, type, data } = event;
      if (type === 'secret.checked') return tellByEmail(event);
      if (type !== 'secret.expiring' && type !== 'secret.expired') return;
      const { connectionId, expiresAt, daysLeft } = data as SecretOfEvent;
      const name = type === 'secret.expired' ? 'secret_expired' : 'secret_expiring';
      signal(log, name, { customerId, connectionId, expiresAt, daysLeft, eventId });
      await tellByEmail(event);
    },
    async webhookDisabled({ customerId, id: webhookId, url, disabledReason, disabledAt }: Webhook): Promise<void> {
      signal(log, 'webhook_disabled', { customerId, webhookId, disabledReason });
      const happenedAt = disabledAt ?? clock.now();
      const id = createRepeatableIds(`${webhookId}\nwebhook.disabled\n${happenedAt.toISOString()}`, happenedAt)('evt');
      const data = { webhookId, url, disabledReason };
      await tellByEmail({ id, customerId, type: 'webhook.disabled', happenedAt, data });
    },
  };
}
