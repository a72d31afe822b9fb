import { z } from 'zod';
import {
  type AlertSettings,
  type AlertSettingsStore,
  readAlertSettings,
} from '../../../shared/alerts/alert-settings.ts';
import type { ConnectionStore } from '../../../shared/connections/connection-store.ts';
import { requireConnection } from '../../../shared/connections/require-connection.ts';
import { addressField } from '../../../shared/edge/requests/fields.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import { addSilenceRoutes } from './silence-alerts.ts';

interface Deps extends EndpointDeps {
  connections: Pick<ConnectionStore, 'get' | 'update'>;
  alertSettings: AlertSettingsStore;
  expiringWithinDays: number;
}

const DAYS_MAX = 730;
const THRESHOLDS_MAX = 20;
const CONTACTS_MAX = 20;

const isUnique = (list: readonly unknown[]) => new Set(list).size === list.length;
const thresholds = (max: number) =>
  z.array(z.int().min(1).max(max)).max(THRESHOLDS_MAX).refine(isUnique, 'names a threshold twice');

const sendFrom = z.strictObject({ connectionId: z.string().min(1).max(100), address: addressField });

const settingsSchema = z
  .strictObject({
    daysBefore: z.array(z.int()).meta({ description: 'Days before the expiry at which people are told.' }),
    lifetimeLeft: z.array(z.int()).meta({ description: 'Percent of the lifetime that is left when people are told.' }),
    contacts: z.array(z.string()).meta({ description: 'Who gets an e-mail.' }),
    sendFrom: z
      .strictObject({ connectionId: z.string(), address: z.string() })
      .nullable()
      .meta({ description: 'Your own mailbox that sends the e-mails. `null`: the mail server of the deployment.' }),
  })
  .meta({ id: 'ExpiryAlerts', description: 'How people are told about expiring client secrets.' });

export function addAlertRoutes(api: Api, deps: Deps): void {
  api.route({
    name: 'expiry-alerts-get',
    method: 'GET',
    path: 'v1/expiry-alerts',
    tag: 'Connections',
    summary: 'Get who is told about expiring credentials, and when',
    responses: { 200: { description: 'The settings, or the defaults.', schema: settingsSchema } },
    permission: 'read',
    handle: async ({ actor }) => ({ jsonBody: presentSettings(await readAlertSettings(deps, actor.customerId)) }),
  });

  api.route({
    name: 'expiry-alerts-update',
    method: 'PUT',
    path: 'v1/expiry-alerts',
    tag: 'Connections',
    summary: 'Change who is told about expiring credentials, and when',
    description:
      'Each threshold is reported once: by the webhook events `secret.expiring` and `secret.expired`, and by e-mail to the contacts.',
    responses: { 200: { description: 'The new settings.', schema: settingsSchema } },
    permission: 'administer',
    body: z.strictObject({
      daysBefore: thresholds(DAYS_MAX),
      lifetimeLeft: thresholds(99),
      contacts: z.array(addressField).max(CONTACTS_MAX).refine(isUnique, 'names a contact twice'),
      sendFrom: sendFrom.nullable().default(null),
    }),
    async handle({ actor, body, requireMatch }) {
      requireMatch(presentSettings(await readAlertSettings(deps, actor.customerId)));
      const { sendFrom: from, ...rest } = body;
      if (from) await requireConnection(deps, actor, from.connectionId);
      const settings = { customerId: actor.customerId, ...rest, ...(from && { sendFrom: from }) };
      await deps.alertSettings.put(settings);
      return { jsonBody: presentSettings(settings) };
    },
  });

  for (const credential of ['client-secret', 'certificate'] as const) addSilenceRoutes(api, deps, credential);
}

function presentSettings(settings: AlertSettings): z.infer<typeof settingsSchema> {
  const { daysBefore, lifetimeLeft, contacts, sendFrom: from } = settings;
  return { daysBefore, lifetimeLeft, contacts, sendFrom: from ?? null };
}
