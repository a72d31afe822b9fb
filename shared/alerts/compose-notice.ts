import { z } from 'zod';
import type { Email } from './email.ts';

const secretNotice = z.object({
  type: z.enum(['secret.expiring', 'secret.expired', 'secret.checked']),
  data: z.object({
    connectionId: z.string(),
    name: z.string(),
    // Absent from events of an earlier version.
    credential: z.enum(['clientSecret', 'certificate']).default('clientSecret'),
    tenantId: z.string(),
    expiresAt: z.string(),
    daysLeft: z.number(),
    enteredExpiresAt: z.string().optional(),
    newerSecret: z.object({ secretId: z.string() }).optional(),
    newerCertificate: z.object({ certificateId: z.string() }).optional(),
    consequence: z.string(),
    steps: z.array(z.object({ text: z.string(), link: z.string().optional() })),
  }),
});

const webhookNotice = z.object({
  type: z.literal('webhook.disabled'),
  data: z.object({ webhookId: z.string(), url: z.string(), disabledReason: z.string() }),
});

const testNotice = z.object({ type: z.literal('email.test') });

interface Message {
  subject: string;
  title: string;
  facts: [string, string][];
  paragraphs: string[];
  steps: { text: string; link?: string | undefined }[];
}

/**
 * The e-mail about an event, as text and as HTML. It loads nothing from anywhere. `undefined` if people get no e-mail
 * about it.
 *
 * @param body the body of the event, as webhooks get it
 */
export function composeNotice(body: string): Email | undefined {
  const event: unknown = JSON.parse(body);
  const secret = secretNotice.safeParse(event);
  if (secret.success) return render(aboutSecret(secret.data));
  const webhook = webhookNotice.safeParse(event);
  if (webhook.success) return render(aboutWebhook(webhook.data));
  return testNotice.safeParse(event).success ? render(TEST) : undefined;
}

const TEST: Message = {
  subject: 'A test of your alerts',
  title: 'A test of your alerts',
  facts: [],
  paragraphs: [
    'Somebody with access to the alerts of your organization has sent this e-mail to try them out.',
    'E-mails about client secrets and certificates that expire will reach you in the same way. You do not need to do anything.',
  ],
  steps: [],
};

function aboutSecret({ type, data }: z.infer<typeof secretNotice>): Message {
  const { name, daysLeft, expiresAt, credential } = data;
  const what = credential === 'certificate' ? 'certificate' : 'client secret';
  const when =
    type === 'secret.expired'
      ? 'has expired'
      : daysLeft < 1
        ? 'expires in less than a day'
        : `expires in ${daysLeft} ${daysLeft === 1 ? 'day' : 'days'}`;
  const hasNewer = data.newerSecret !== undefined || data.newerCertificate !== undefined;
  const says = type === 'secret.checked' ? checked(hasNewer) : (of: string) => `${of} ${when}`;
  return {
    subject: says(`The ${what} of ${name}`),
    title: says(`The ${what} of “${name}”`),
    facts: [
      ['Connection', `${name} (${data.connectionId})`],
      ['Tenant', data.tenantId],
      ['Expires', formatUtc(expiresAt)],
      ...(data.enteredExpiresAt === undefined ? [] : [differing(data.enteredExpiresAt)]),
    ],
    paragraphs: [data.consequence],
    steps: data.steps,
  };
}

function aboutWebhook({ data }: z.infer<typeof webhookNotice>): Message {
  const why =
    data.disabledReason === 'gone'
      ? 'The server answered 410 Gone.'
      : 'No delivery has succeeded for several days, and the attempts of one have been used up.';
  return {
    subject: 'A webhook was disabled',
    title: 'A webhook was disabled',
    facts: [
      ['Webhook', data.webhookId],
      ['URL', data.url],
    ],
    paragraphs: [why, 'New events are neither delivered to it nor kept for it.'],
    steps: [
      { text: 'Make sure that the server answers with a status of 2xx within 10 seconds.' },
      { text: 'Enable the webhook again. Then redeliver the failed events that you need.' },
    ],
  };
}

/** What Entra shows that was not known. */
function checked(hasNewer: boolean): (secret: string) => string {
  return (secret) =>
    hasNewer ? `${secret} has a successor in Microsoft Entra` : `${secret} expires at another time than was entered`;
}

function differing(enteredExpiresAt: string): [string, string] {
  return ['Entered', `${formatUtc(enteredExpiresAt)}. Microsoft Entra shows the date above.`];
}

/** In UTC, so that every reader sees the same instant: `2027-05-01 00:00 UTC`. */
function formatUtc(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)} UTC`;
}

function render(message: Message): Email {
  return { subject: oneLine(message.subject), text: toText(message), html: toHtml(message) };
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();

function toText({ title, facts, paragraphs, steps }: Message): string {
  const lines = [
    title,
    '',
    ...facts.map(([name, value]) => `${name}: ${value}`),
    ...(facts.length > 0 ? [''] : []),
    ...paragraphs,
    ...(steps.length > 0 ? ['', 'What to do:'] : []),
    ...steps.map(({ text, link }, i) => `${i + 1}. ${text}${link ? `\n   ${link}` : ''}`),
  ];
  return `${lines.join('\n')}\n`;
}

const STYLE = {
  body: 'margin:0;padding:24px;background:#f4f5f7;color:#1b1f24;font:16px/1.5 system-ui,-apple-system,Segoe UI,sans-serif',
  card: 'max-width:600px;margin:0 auto;padding:24px;background:#ffffff;border-radius:8px',
  title: 'margin:0 0 16px;font-size:22px;line-height:1.3',
  name: 'padding:4px 16px 4px 0;color:#57606a;vertical-align:top;white-space:nowrap',
  value: 'padding:4px 0;overflow-wrap:anywhere',
};

function toHtml({ title, facts, paragraphs, steps }: Message): string {
  const row = ([name, value]: [string, string]) =>
    `<tr><td style="${STYLE.name}">${escapeHtml(name)}</td><td style="${STYLE.value}">${escapeHtml(value)}</td></tr>`;
  const step = ({ text, link }: Message['steps'][number]) =>
    `<li style="margin:8px 0">${link ? `<a href="${escapeHtml(link)}" style="color:#0b5cad">${escapeHtml(text)}</a>` : escapeHtml(text)}</li>`;
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)}</title></head>`,
    `<body style="${STYLE.body}"><div style="${STYLE.card}"><h1 style="${STYLE.title}">${escapeHtml(title)}</h1>`,
    `<table role="presentation" cellspacing="0" cellpadding="0">${facts.map(row).join('')}</table>`,
    ...paragraphs.map((text) => `<p>${escapeHtml(text)}</p>`),
    ...(steps.length > 0
      ? [
          `<h2 style="font-size:17px;margin:24px 0 8px">What to do</h2><ol style="margin:0;padding-left:24px">${steps.map(step).join('')}</ol>`,
        ]
      : []),
    '</div></body></html>',
  ].join('\n');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
