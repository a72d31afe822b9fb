export type { PageOptions, PostOptions, RequestOptions } from './api.ts';
export type { ApiKeys } from './api-keys.ts';
export type { Connections } from './connections.ts';
export {
  type AuditOptions,
  createMuster,
  type ExpiringSecretsCalendarOptions,
  type ExpiringSecretsOptions,
  type Muster,
  type MusterOptions,
} from './create-muster.ts';
export type { Customers, RemoveCustomerOptions } from './customers.ts';
export type { Directory, DirectoryCsvOptions, DirectoryListOptions } from './directory.ts';
export type { AlertEmailListOptions, ExpiryAlertSettings, NewExpiryAlerts } from './expiry-alerts.ts';
export type {
  CsvOptions,
  DryRunOptions,
  FailedCsvOptions,
  Imports,
  RetryFailedOptions,
  RowListOptions,
  StartImportOptions,
  Upload,
} from './imports.ts';
export type { ActionListOptions, ActionRowListOptions, MailboxActions } from './mailbox-actions.ts';
export type { Mailboxes, MailboxListOptions } from './mailboxes.ts';
export { MusterError, type MusterErrorCode } from './muster-error.ts';
export type { components, operations, paths } from './schema.ts';
export type { Fetch, RetryOptions } from './sender.ts';
export type * from './types.ts';
export type { WaitForImportOptions } from './wait-for-import.ts';
export type { WaitOptions } from './wait-until-stopped.ts';
export type { MailboxActionEvent } from './watch-action.ts';
export type { ImportEvent } from './watch-import.ts';
export type { DeliveryListOptions, SecretRotation, Webhooks } from './webhooks.ts';
