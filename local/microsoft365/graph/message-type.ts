import type { ScenarioTenant } from '../scenario.ts';

/** A type of Graph's metadata: https://graph.microsoft.com/v1.0/$metadata. */
export type EdmType =
  | { kind: 'primitive'; name: 'Edm.String' | 'Edm.Boolean' | 'Edm.DateTimeOffset' | 'Edm.Binary' }
  | { kind: 'enum'; members: readonly string[] }
  | { kind: 'complex'; name: string; properties: Readonly<Record<string, EdmType>> }
  | { kind: 'collection'; of: EdmType }
  /** Its derived types have more properties, which the metadata names elsewhere. */
  | { kind: 'unchecked' };

const string: EdmType = { kind: 'primitive', name: 'Edm.String' };
const boolean: EdmType = { kind: 'primitive', name: 'Edm.Boolean' };
const instant: EdmType = { kind: 'primitive', name: 'Edm.DateTimeOffset' };
const anyOf = (...members: string[]): EdmType => ({ kind: 'enum', members });
const listOf = (of: EdmType): EdmType => ({ kind: 'collection', of });
const complex = (name: string, properties: Record<string, EdmType>): EdmType & { kind: 'complex' } => ({
  kind: 'complex',
  name: `microsoft.graph.${name}`,
  properties,
});

const recipient = complex('recipient', { emailAddress: complex('emailAddress', { name: string, address: string }) });
const itemBody = complex('itemBody', { contentType: anyOf('text', 'html'), content: string });
const dateTime = complex('dateTimeTimeZone', { dateTime: string, timeZone: string });
const unchecked: EdmType = { kind: 'unchecked' };

const everywhere = {
  id: string,
  categories: listOf(string),
  changeKey: string,
  createdDateTime: instant,
  lastModifiedDateTime: instant,
  bccRecipients: listOf(recipient),
  body: itemBody,
  bodyPreview: string,
  ccRecipients: listOf(recipient),
  conversationId: string,
  conversationIndex: { kind: 'primitive', name: 'Edm.Binary' },
  flag: complex('followupFlag', {
    completedDateTime: dateTime,
    dueDateTime: dateTime,
    startDateTime: dateTime,
    flagStatus: anyOf('notFlagged', 'complete', 'flagged'),
  }),
  from: recipient,
  hasAttachments: boolean,
  importance: anyOf('low', 'normal', 'high'),
  inferenceClassification: anyOf('focused', 'other'),
  internetMessageId: string,
  isDeliveryReceiptRequested: boolean,
  isDraft: boolean,
  isRead: boolean,
  isReadReceiptRequested: boolean,
  parentFolderId: string,
  receivedDateTime: instant,
  replyTo: listOf(recipient),
  sender: recipient,
  sentDateTime: instant,
  subject: string,
  toRecipients: listOf(recipient),
  uniqueBody: itemBody,
  webLink: string,
  attachments: listOf(unchecked),
  extensions: listOf(unchecked),
  multiValueExtendedProperties: listOf(unchecked),
  singleValueExtendedProperties: listOf(unchecked),
} as const satisfies Record<string, EdmType>;

const message = complex('message', {
  ...everywhere,
  internetMessageHeaders: listOf(complex('internetMessageHeader', { name: string, value: string })),
});
const messageInChina = complex('message', everywhere);

/** The type of a message in the tenant's cloud. */
export function messageTypeOf({ cloud }: Pick<ScenarioTenant, 'cloud'>): EdmType & { kind: 'complex' } {
  return cloud === 'china' ? messageInChina : message;
}

/** The parameters of `sendMail`. Their names are not case-sensitive. Some of Microsoft's examples send "false" as text. */
export function sendMailParameters(tenant: Pick<ScenarioTenant, 'cloud'>): Readonly<Record<string, EdmType>> {
  return { message: messageTypeOf(tenant), savetosentitems: unchecked };
}
