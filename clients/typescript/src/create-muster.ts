import createClient, { type Client } from 'openapi-fetch';
import { type Api, dataOf, initOf, type PageOptions, type RequestOptions } from './api.ts';
import { type ApiKeys, createApiKeys } from './api-keys.ts';
import { type Connections, createConnections } from './connections.ts';
import { type Customers, createCustomers } from './customers.ts';
import { createDirectory, type Directory } from './directory.ts';
import { createExpiryAlerts, type ExpiryAlertSettings } from './expiry-alerts.ts';
import { createImports, type Imports } from './imports.ts';
import { createMailboxActions, type MailboxActions } from './mailbox-actions.ts';
import { createMailboxes, type Mailboxes } from './mailboxes.ts';
import { type Page, pages } from './pages.ts';
import type { paths } from './schema.ts';
import { createSender, type Fetch, type RetryOptions } from './sender.ts';
import type { AuditRecord, ExpiringSecret, Import, Me } from './types.ts';
import { type WaitForImportOptions, waitForImport } from './wait-for-import.ts';
import { type ImportEvent, watchImport } from './watch-import.ts';
import { createWebhooks, type Webhooks } from './webhooks.ts';

export interface MusterOptions {
  /** Where the API is, for example `https://muster.example.com`. */
  url: string;
  /** An API key. */
  key: string;
  /** The customer that an operator acts for: `cust_…`. Other keys belong to one customer and leave this out. */
  customer?: string;
  /** Sends each attempt of a request. The default is the global `fetch`. */
  fetch?: Fetch;
  retry?: RetryOptions;
}

export interface AuditOptions extends PageOptions {
  /** Records since this time (RFC 3339). */
  from?: string;
  action?: AuditRecord['action'];
}

export interface ExpiringSecretsOptions extends PageOptions {
  withinDays?: number;
}

export interface ExpiringSecretsCalendarOptions extends RequestOptions {
  withinDays?: number;
}

/** A client for the API of Muster. Every call rejects with a MusterError if it is refused or fails. */
export interface Muster {
  connections: Connections;
  imports: Imports;
  mailboxes: Mailboxes;
  mailboxActions: MailboxActions;
  directory: Directory;
  customers: Customers;
  apiKeys: ApiKeys;
  webhooks: Webhooks;
  expiryAlerts: ExpiryAlertSettings;
  /** Who the key belongs to, and how many slots are used. */
  me(options?: RequestOptions): Promise<Me>;
  /**
   * Waits until an import has ended, or is paused and makes no progress by itself. `status` of the result says which.
   * An unchanged import costs an empty answer (304).
   */
  waitForImport(importId: string, options?: WaitForImportOptions): Promise<Import>;
  /**
   * Tells what happens to an import until it has ended: its progress, and each mailbox as it is settled. After a break it
   * goes on where it stopped.
   */
  watchImport(importId: string, options?: RequestOptions): AsyncGenerator<ImportEvent, void, undefined>;
  /** What was changed, by whom, newest first. For owners and operators. */
  audit(options?: AuditOptions): AsyncIterable<AuditRecord>;
  /** Client secrets that expire soon. */
  expiringSecrets(options?: ExpiringSecretsOptions): AsyncIterable<ExpiringSecret>;
  /** The same as an iCalendar file, with an alarm before each expiry. */
  expiringSecretsCalendar(options?: ExpiringSecretsCalendarOptions): Promise<string>;
  /** Every route, as openapi-fetch calls it: the result has `data` or `error`. Retries work here too. */
  raw: Client<paths>;
}

/** Makes a client. It sends nothing before the first call. */
export function createMuster({ url, key, customer, fetch, retry = {} }: MusterOptions): Muster {
  const send = createSender(fetch ?? ((request) => globalThis.fetch(request)), retry);
  const raw = createClient<paths>({
    baseUrl: baseUrlOf(url),
    headers: {
      Authorization: `Bearer ${headerValue('key', key)}`,
      ...(customer !== undefined && { 'Muster-Customer': headerValue('customer', customer) }),
    },
    // The API never redirects. Following a redirect could hand a client secret to somebody else.
    redirect: 'manual',
    fetch: (request) => send(request),
  });
  const api: Api = { raw, send };

  return {
    connections: createConnections(api),
    imports: createImports(api),
    mailboxes: createMailboxes(api),
    mailboxActions: createMailboxActions(api),
    directory: createDirectory(api),
    customers: createCustomers(api),
    apiKeys: createApiKeys(api),
    webhooks: createWebhooks(api),
    expiryAlerts: createExpiryAlerts(api),

    me: (options = {}) => dataOf(raw.GET('/v1/me', initOf(options))),
    audit: ({ pageSize, signal, ...filter } = {}) =>
      pages<AuditRecord>((cursor) =>
        dataOf(
          raw.GET('/v1/audit', {
            params: { query: { ...filter, ...cursor, ...(pageSize && { limit: pageSize }) } },
            ...(signal && { signal }),
          }),
        ),
      ),
    expiringSecrets: ({ pageSize, signal, ...filter } = {}) =>
      pages<ExpiringSecret>(
        (cursor) =>
          // Without `format`, the answer is JSON.
          dataOf(
            raw.GET('/v1/expiring-secrets', {
              params: { query: { ...filter, ...cursor, ...(pageSize && { limit: pageSize }) } },
              ...(signal && { signal }),
            }),
          ) as Promise<Page<ExpiringSecret>>,
      ),
    expiringSecretsCalendar: ({ withinDays, ...options } = {}) =>
      dataOf(
        raw.GET('/v1/expiring-secrets', {
          params: { query: { format: 'ics' as const, ...(withinDays !== undefined && { withinDays }) } },
          parseAs: 'text',
          ...initOf(options),
        }),
      ) as Promise<string>,
    waitForImport: (importId, options) => waitForImport(api, importId, options),
    watchImport: (importId, options) => watchImport(api, importId, options),
    raw,
  };
}

function baseUrlOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.password !== '') {
    // Does not quote the address: it may hold a password.
    throw new TypeError('`url` must be an address such as https://muster.example.com, without a user or password.');
  }
  return parsed.origin + parsed.pathname.replace(/\/+$/, '');
}

/** Refuses what no header can hold. The message of `fetch` would quote the value. */
function headerValue(name: 'key' | 'customer', value: unknown): string {
  if (typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)) return value;
  throw new TypeError(`\`${name}\` must be text of visible ASCII characters without blanks.`);
}
