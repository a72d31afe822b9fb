import type { components, operations, webhooks } from './schema.ts';

type Schemas = components['schemas'];
type JsonBody<Operation extends { requestBody: { content: { 'application/json': unknown } } }> =
  Operation['requestBody']['content']['application/json'];

export type Problem = Schemas['Problem'];
export type Me = Schemas['Me'];
export type AuditRecord = Schemas['AuditRecord'];
export type ExpiringSecret = Schemas['ExpiringSecret'];
/** How people are told about expiring client secrets. */
export type ExpiryAlerts = Schemas['ExpiryAlerts'];
export type AlertEmail = Schemas['AlertEmail'];

export type Customer = Schemas['Customer'];
export type NewCustomer = JsonBody<operations['customers-create']>;
export type CustomerChanges = JsonBody<operations['customers-update']>;

export type ApiKey = Schemas['ApiKey'];
export type NewApiKey = JsonBody<operations['api-keys-create']>;
export type KeyRotation = JsonBody<operations['api-keys-rotate']>;
/** A key with its text in `key`. The API shows the text this once. */
export type CreatedApiKey = Schemas['CreatedApiKey'] & { key: string };

export type Connection = Schemas['Connection'];
export type NewConnection = JsonBody<operations['connections-create']>;
export type ConnectionChanges = JsonBody<operations['connections-update']>;
export type NewClientSecret = JsonBody<operations['connections-replace-client-secret']>;
export type ReplacingCertificate = JsonBody<operations['connections-replace-certificate']>['certificate'];
type SetupScriptParameters = operations['connections-setup-script']['parameters']['query'];
/** Which script: what it grants, and how. */
export type SetupScriptQuery = Omit<SetupScriptParameters, 'undo'> & { undo?: boolean };
export type TestResult = Schemas['TestResult'];
export type TestStep = Schemas['TestStep'];
/** A link on which the tenant's admin gives consent. The API shows it this once. */
export type ConsentLink = Schemas['ConsentLink'] & { url: string };

export type Import = Schemas['Import'];
export type ImportPreview = Schemas['Preview'];
export type Row = Schemas['Row'];
export type SettledMailbox = Schemas['SettledMailboxes']['mailboxes'][number];
export type ImportSummary = Schemas['ImportSummary'];
export type ReportRow = Schemas['ReportRow'];
export type NewMailbox = Schemas['MailboxList']['mailboxes'][number];

export type Webhook = Schemas['Webhook'];
export type NewWebhook = JsonBody<operations['webhooks-create']>;
export type WebhookChanges = JsonBody<operations['webhooks-update']>;
/** A webhook with its secret. The API shows the secret this once. */
export type ShownWebhook = Schemas['ShownWebhook'] & { secret: string };
export type Delivery = Schemas['Delivery'];
type EventBodies = {
  [Name in keyof webhooks]: webhooks[Name]['post']['requestBody']['content']['application/json'];
};
/** What receivers get, by the type of the event. */
export type WebhookEvent = EventBodies[keyof EventBodies];

export type Mailbox = Schemas['Mailbox'];
export type MailboxWithHistory = Schemas['MailboxWithHistory'];
export type MailboxChanges = JsonBody<operations['mailboxes-update']>;
/** Something that is done with mailboxes of a connection, and its progress. */
export type MailboxAction = Schemas['MailboxAction'];
export type MailboxActionRow = Schemas['MailboxActionRow'];
export type DoneMailbox = Schemas['DoneMailboxes']['mailboxes'][number];
export type NewMailboxAction = JsonBody<operations['mailbox-actions-create']>;
/** A user of the tenant who has an address. */
export type DirectoryMailbox = Schemas['DirectoryMailbox'];
export type DirectoryState = Schemas['DirectoryState'];
export type Probe = Schemas['Probe'];
export type Verdict = Schemas['Verdict'];
export type Cause = Schemas['Cause'];
