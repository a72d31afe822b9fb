import {
  type Api,
  dataOf,
  initOf,
  type PageOptions,
  type PostOptions,
  postShownOnce,
  type RequestOptions,
} from './api.ts';
import { pages } from './pages.ts';
import type {
  Connection,
  ConnectionChanges,
  ConsentLink,
  NewClientSecret,
  NewConnection,
  ReplacingCertificate,
  SetupScriptQuery,
  TestResult,
} from './types.ts';

export interface Connections {
  /** Registers a connection to a tenant. Its client secret or its key goes to the key vault and is never shown again. */
  create(connection: NewConnection, options?: PostOptions): Promise<Connection>;
  get(connectionId: string, options?: RequestOptions): Promise<Connection>;
  list(options?: PageOptions): AsyncIterable<Connection>;
  update(connectionId: string, changes: ConnectionChanges, options?: RequestOptions): Promise<Connection>;
  /** Disconnects the tenant, and deletes its client secret, its mailboxes and its imports. */
  remove(connectionId: string, options?: RequestOptions): Promise<void>;
  /** Tests the connection. The result says what does not work yet. Only `verdict: 'passed'` makes it `ready`. */
  test(connectionId: string, options?: PostOptions): Promise<TestResult>;
  /** Makes a link on which an admin of the tenant gives consent. */
  consent(connectionId: string, options?: PostOptions): Promise<ConsentLink>;
  /** Replaces the client secret. Muster tests the new one first, and keeps the old one if Microsoft refuses it. */
  replaceClientSecret(connectionId: string, secret: NewClientSecret, options?: RequestOptions): Promise<Connection>;
  /**
   * The public part of a certificate, as PEM: the one that waits to be used, or else the one in use. Add it to the app in
   * Entra.
   */
  downloadCertificate(connectionId: string, options?: RequestOptions): Promise<string>;
  /** The PowerShell script that sets up the app of the connection in Microsoft 365, or with `undo` the one that takes it back. */
  setupScript(connectionId: string, script: SetupScriptQuery, options?: RequestOptions): Promise<string>;
  /** Makes a certificate that will replace the credential. Its key never leaves the key vault. */
  makeCertificate(connectionId: string, validMonths?: number, options?: PostOptions): Promise<Connection>;
  /** Discards the certificate that was made and is not in use. */
  discardCertificate(connectionId: string, options?: RequestOptions): Promise<Connection>;
  /**
   * Replaces the credential by a certificate: by the one that was made, or by a file. Muster tests it first, and keeps the
   * old credential if Microsoft refuses it.
   */
  replaceCertificate(
    connectionId: string,
    certificate?: ReplacingCertificate,
    options?: RequestOptions,
  ): Promise<Connection>;
  /** Brings back the certificate from before the last replacement, as `restoreClientSecret` does. */
  restoreCertificate(connectionId: string, options?: PostOptions): Promise<Connection>;
  /** Stops notices about the expiring client secret until then (RFC 3339), except that it has expired. */
  snoozeAlerts(connectionId: string, until: string, options?: PostOptions): Promise<Connection>;
  /** Stops notices about this client secret, except that it has expired. */
  acknowledgeAlerts(connectionId: string, options?: PostOptions): Promise<Connection>;
  /** Ends a snooze, and takes an acknowledgement back. */
  resumeAlerts(connectionId: string, options?: RequestOptions): Promise<Connection>;
  /**
   * Brings back the client secret from before the last replacement, after testing it. The two change places, so a second
   * call undoes the first.
   */
  restoreClientSecret(connectionId: string, options?: PostOptions): Promise<Connection>;
}

export function createConnections({ raw }: Api): Connections {
  return {
    create: (connection, options = {}) => dataOf(raw.POST('/v1/connections', { body: connection, ...initOf(options) })),

    get: (connectionId, options = {}) =>
      dataOf(raw.GET('/v1/connections/{connectionId}', { params: { path: { connectionId } }, ...initOf(options) })),

    list: ({ pageSize, ...options } = {}) =>
      pages<Connection>((cursor) =>
        dataOf(
          raw.GET('/v1/connections', {
            params: { query: { ...cursor, ...(pageSize && { limit: pageSize }) } },
            ...initOf(options),
          }),
        ),
      ),

    update: (connectionId, changes, options = {}) =>
      dataOf(
        raw.PATCH('/v1/connections/{connectionId}', {
          params: { path: { connectionId } },
          body: changes,
          ...initOf(options),
        }),
      ),

    remove: async (connectionId, options = {}) => {
      await dataOf(
        raw.DELETE('/v1/connections/{connectionId}', { params: { path: { connectionId } }, ...initOf(options) }),
      );
    },

    test: (connectionId, options = {}) =>
      dataOf(
        raw.POST('/v1/connections/{connectionId}/test', { params: { path: { connectionId } }, ...initOf(options) }),
      ),

    consent: (connectionId, options = {}) => {
      const post = () =>
        dataOf(
          raw.POST('/v1/connections/{connectionId}/consent', {
            params: { path: { connectionId } },
            ...initOf(options),
          }),
        );
      // A link that nobody has seen expires by itself.
      return postShownOnce('url', options, post, post);
    },

    replaceClientSecret: (connectionId, secret, options = {}) =>
      dataOf(
        raw.PUT('/v1/connections/{connectionId}/client-secret', {
          params: { path: { connectionId } },
          body: secret,
          ...initOf(options),
        }),
      ),

    downloadCertificate: (connectionId, options = {}) =>
      dataOf(
        raw.GET('/v1/connections/{connectionId}/certificate', {
          params: { path: { connectionId } },
          parseAs: 'text',
          ...initOf(options),
        }),
      ),

    setupScript: (connectionId, { undo, ...query }, options = {}) =>
      dataOf(
        raw.GET('/v1/connections/{connectionId}/setup-script', {
          params: { path: { connectionId }, query: { ...query, ...(undo && { undo: 'true' as const }) } },
          parseAs: 'text',
          ...initOf(options),
        }),
      ),

    makeCertificate: (connectionId, validMonths, options = {}) =>
      dataOf(
        raw.POST('/v1/connections/{connectionId}/certificate/next', {
          params: { path: { connectionId } },
          body: validMonths === undefined ? {} : { validMonths },
          ...initOf(options),
        }),
      ),

    discardCertificate: (connectionId, options = {}) =>
      dataOf(
        raw.DELETE('/v1/connections/{connectionId}/certificate/next', {
          params: { path: { connectionId } },
          ...initOf(options),
        }),
      ),

    replaceCertificate: (connectionId, certificate = { source: 'made' }, options = {}) =>
      dataOf(
        raw.PUT('/v1/connections/{connectionId}/certificate', {
          params: { path: { connectionId } },
          body: { certificate },
          ...initOf(options),
        }),
      ),

    restoreCertificate: (connectionId, options = {}) =>
      dataOf(
        raw.POST('/v1/connections/{connectionId}/certificate/restore', {
          params: { path: { connectionId } },
          ...initOf(options),
        }),
      ),

    snoozeAlerts: (connectionId, until, options = {}) =>
      dataOf(
        raw.POST('/v1/connections/{connectionId}/client-secret/snooze', {
          params: { path: { connectionId } },
          body: { until },
          ...initOf(options),
        }),
      ),

    acknowledgeAlerts: (connectionId, options = {}) =>
      dataOf(
        raw.POST('/v1/connections/{connectionId}/client-secret/acknowledge', {
          params: { path: { connectionId } },
          ...initOf(options),
        }),
      ),

    resumeAlerts: (connectionId, options = {}) =>
      dataOf(
        raw.DELETE('/v1/connections/{connectionId}/client-secret/snooze', {
          params: { path: { connectionId } },
          ...initOf(options),
        }),
      ),

    restoreClientSecret: (connectionId, options = {}) =>
      dataOf(
        raw.POST('/v1/connections/{connectionId}/client-secret/restore', {
          params: { path: { connectionId } },
          ...initOf(options),
        }),
      ),
  };
}
