import { z } from 'zod';
import { type AlertSettingsStore, readAlertSettings } from '../../../shared/alerts/alert-settings.ts';
import { composeNotice } from '../../../shared/alerts/compose-notice.ts';
import { emailWays } from '../../../shared/alerts/email.ts';
import { instant, pageOf } from '../../../shared/edge/answers/response-fields.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import { DomainError } from '../../../shared/kernel/errors.ts';
import { notFound } from '../../../shared/kernel/ids.ts';
import { EMAIL } from '../../../shared/webhooks/deliver-event.ts';
import { attemptResults, type Delivery, deliveryStatuses } from '../../../shared/webhooks/delivery.ts';
import type { DeliveryStore } from '../../../shared/webhooks/delivery-store.ts';
import { deliveredTypes } from '../../../shared/webhooks/event-types.ts';
import { type RedeliverDeps, resendEmail, sendTestEmail } from '../../../shared/webhooks/redeliver.ts';

export interface AlertEmailDeps extends Omit<EndpointDeps, 'clock'>, Omit<RedeliverDeps, 'webhooks'> {
  deliveries: RedeliverDeps['deliveries'] & Pick<DeliveryStore, 'list'>;
  alertSettings: Pick<AlertSettingsStore, 'get'>;
}

const attemptSchema = z
  .strictObject({
    startedAt: instant,
    result: z.enum(attemptResults),
    sentBy: z
      .enum(emailWays)
      .nullable()
      .meta({ description: 'Your own mailbox, or the mail server of the deployment. `null`: nothing was sent.' }),
    recipients: z.array(z.string()),
    detail: z
      .string()
      .nullable()
      .meta({ description: 'What failed, also if another way, or another recipient, has succeeded.' }),
  })
  .meta({ id: 'AlertEmailAttempt' });

const emailSchema = z
  .strictObject({
    id: z.string().meta({ example: 'evt_01k2m8qj4vabcdefghjkmnp', description: 'The ID of the event that it tells.' }),
    type: z.enum(deliveredTypes),
    subject: z.string(),
    status: z.enum(deliveryStatuses).meta({ description: '`pending`: it is tried again, for up to a day.' }),
    attemptCount: z.int(),
    attempts: z.array(attemptSchema).meta({ description: 'The latest 20 attempts, oldest first.' }),
    nextAttemptAt: instant.nullable(),
    createdAt: instant,
  })
  .meta({ id: 'AlertEmail', description: 'One e-mail to the contacts, and what became of it.' });

/** What became of the e-mails to the contacts of `expiry-alerts`. */
export function addAlertEmailRoutes(api: Api, deps: AlertEmailDeps): void {
  const accepted = {
    202: {
      description: 'The e-mail, which is on its way.',
      schema: emailSchema,
      headers: { Location: 'The path of the e-mail.' },
    },
  };
  const answerAccepted = (email: Delivery) => {
    const location = `/v1/expiry-alerts/emails/${email.id}`;
    return { status: 202, headers: { location }, jsonBody: presentEmail(email) };
  };

  api.route({
    name: 'alert-emails-create',
    method: 'POST',
    path: 'v1/expiry-alerts/emails',
    tag: 'Connections',
    summary: 'Send a test e-mail to the contacts',
    description: 'It is sent in the same way as every notice. Its attempts show whether a mail server has accepted it.',
    refusals: ['wrong_state'],
    responses: accepted,
    permission: 'administer',
    async handle({ actor, newId }) {
      const { contacts } = await readAlertSettings(deps, actor.customerId);
      if (contacts.length === 0) throw new DomainError('wrong_state', 'There are no contacts. Add one first.');
      return answerAccepted(await sendTestEmail({ ...deps, newId }, actor));
    },
  });

  api.route({
    name: 'alert-emails-list',
    method: 'GET',
    path: 'v1/expiry-alerts/emails',
    tag: 'Connections',
    summary: 'List the e-mails to the contacts',
    description: 'They are kept as long as deliveries of webhooks.',
    responses: { 200: { description: 'One page of e-mails, newest event first.', schema: pageOf(emailSchema) } },
    permission: 'read',
    query: z.strictObject({ status: z.enum(deliveryStatuses).optional() }),
    list: true,
    handle: async ({ actor, query, page, answerPage }) =>
      answerPage(await deps.deliveries.list(actor.customerId, EMAIL, page, query.status), presentEmail),
  });

  api.route({
    name: 'alert-emails-get',
    method: 'GET',
    path: 'v1/expiry-alerts/emails/{emailId}',
    tag: 'Connections',
    summary: 'Get an e-mail to the contacts',
    responses: { 200: { description: 'The e-mail.', schema: emailSchema } },
    permission: 'read',
    async handle({ actor, params: { emailId = '' } }) {
      const found = await deps.deliveries.get({ customerId: actor.customerId, webhookId: EMAIL, id: emailId });
      if (!found) throw notFound('evt');
      return { jsonBody: presentEmail(found.value) };
    },
  });

  api.route({
    name: 'alert-emails-resend',
    method: 'POST',
    path: 'v1/expiry-alerts/emails/{emailId}/resend',
    tag: 'Connections',
    summary: 'Send an e-mail to the contacts again',
    description: 'Begins a new round of attempts. It goes to the present contacts.',
    responses: accepted,
    permission: 'administer',
    handle: async ({ actor, params: { emailId = '' } }) => answerAccepted(await resendEmail(deps, actor, emailId)),
  });
}

function presentEmail(delivery: Delivery): z.infer<typeof emailSchema> {
  const { id, type, status, attemptCount, nextAttemptAt, createdAt } = delivery;
  return {
    id,
    type,
    subject: composeNotice(delivery.body)?.subject ?? type,
    status,
    attemptCount,
    attempts: delivery.attempts.map(({ startedAt, result, sentBy, recipients, detail }) => ({
      startedAt: startedAt.toISOString(),
      result,
      sentBy: sentBy ?? null,
      recipients: recipients ?? [],
      detail: detail ?? null,
    })),
    nextAttemptAt: nextAttemptAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
  };
}
