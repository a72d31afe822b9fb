import { blobUploads } from '../adapters/blobs/blob-uploads.ts';
import { readCertificateFile } from '../adapters/certificates/read-certificate-file.ts';
import { createTokens } from '../adapters/entra/client-credential-tokens.ts';
import { createClouds } from '../adapters/entra/clouds.ts';
import { openIdTenantDirectory } from '../adapters/entra/tenant-directory.ts';
import { expiryCalendar } from '../adapters/expiry-calendar.ts';
import { keyVaultCertificates } from '../adapters/key-vault/key-vault-certificates.ts';
import { keyVaultSecrets } from '../adapters/key-vault/key-vault-secrets.ts';
import { operatorKeys } from '../adapters/operator-key.ts';
import { storageQueueLook } from '../adapters/queues/look-at-queue.ts';
import { sendMessage } from '../adapters/queues/send-message.ts';
import { storageImportQueues } from '../adapters/queues/storage-import-queues.ts';
import { tableAlertSettings } from '../adapters/tables/table-alert-settings.ts';
import { tableAnswers } from '../adapters/tables/table-answers.ts';
import { tableApiKeys } from '../adapters/tables/table-api-keys.ts';
import { tableAudit } from '../adapters/tables/table-audit.ts';
import { tableConnections } from '../adapters/tables/table-connections.ts';
import { tableConsents } from '../adapters/tables/table-consents.ts';
import { tableCustomers } from '../adapters/tables/table-customers.ts';
import { tableExpiryIndex } from '../adapters/tables/table-expiry-index.ts';
import { tableHeartbeats } from '../adapters/tables/table-heartbeats.ts';
import { tableImports } from '../adapters/tables/table-imports.ts';
import { tableKeptUploads } from '../adapters/tables/table-kept-uploads.ts';
import { tableLedger } from '../adapters/tables/table-ledger.ts';
import { tableMessagePool } from '../adapters/tables/table-message-pool.ts';
import { tablePoisonArchive } from '../adapters/tables/table-poison.ts';
import { tableProgressMarks } from '../adapters/tables/table-progress-marks.ts';
import { tableRemovalLease, tableRemovals } from '../adapters/tables/table-removals.ts';
import { tableReverifyWalks } from '../adapters/tables/table-reverify-walks.ts';
import { tableRunProgress } from '../adapters/tables/table-run-progress.ts';
import { tableSlots } from '../adapters/tables/table-slots.ts';
import { tableTenantPaces } from '../adapters/tables/table-tenant-paces.ts';
import { tableUploadLeases } from '../adapters/tables/table-upload-leases.ts';
import { createApiKeyVerifier } from '../api-keys/verify-api-key.ts';
import type { Cloud, Connection } from '../connections/connection.ts';
import type { DeletedConnection } from '../connections/connection-store.ts';
import { discardConnection as discardNow } from '../connections/lifecycle/delete-connection.ts';
import { purgeDirectory } from '../directory/read-directory.ts';
import { purgeDirectoriesOf } from '../directory/refresh-directory.ts';
import { newEventTimes } from '../edge/streaming/event-stream.ts';
import { createOutlets } from '../edge/streaming/outlets.ts';
import { createReadiness } from '../health/readiness.ts';
import { cancelCustomerImports } from '../imports/control/cancel-import.ts';
import { createImportWatches } from '../imports/events/watch-imports.ts';
import { purgeConnection } from '../imports/finishing/purge-connection.ts';
import type { Import } from '../imports/import.ts';
import { findActiveMailbox } from '../imports/ledger/find-active-mailbox.ts';
import { heldUntil } from '../imports/pacing/held-until.ts';
import { removePaceOf } from '../imports/pacing/remove-old-paces.ts';
import { systemClock } from '../kernel/clock.ts';
import { createNewId } from '../kernel/ids.ts';
import type { Log } from '../kernel/log.ts';
import { signal } from '../kernel/signals.ts';
import { containers, queues, tables } from '../kernel/storage-names.ts';
import { isOwnerGone } from '../operations/poison-owner.ts';
import { publishImportEnd, publishVerdictChanges } from '../webhooks/publish-happenings.ts';
import { buildAlerts } from './build-alerts.ts';
import { buildAzureClients } from './build-azure-clients.ts';
import { buildChecker } from './build-checker.ts';
import { buildConnectionTest } from './build-connection-test.ts';
import { buildCustomerPurgers } from './build-customer-purgers.ts';
import { buildDirectory } from './build-directory.ts';
import { buildImports } from './build-imports.ts';
import { buildLimits } from './build-limits.ts';
import { tracedImports } from './build-telemetry.ts';
import { buildVendorApp } from './build-vendor-app.ts';
import { buildWebhooks } from './build-webhooks.ts';
import type { Config } from './config.ts';

/** Builds everything that the functions need, once for each process. */
export function buildDeps(config: Config, log: Log) {
  const { settings } = config;
  const clock = systemClock;
  const azure = buildAzureClients(config, log);

  const webhooks = buildWebhooks(
    {
      table: azure.table(tables.webhooks),
      queues: azure.queues,
      vault: azure.vault,
      connections: tableConnections(azure.table(tables.connections)),
      imports: tracedImports(tableImports(azure.table(tables.imports))),
      clock,
    },
    settings,
  );
  const { connections, imports } = webhooks;
  const customers = tableCustomers(azure.table(tables.customers));
  const expiryIndex = tableExpiryIndex(azure.table(tables.connections));
  const consents = tableConsents(azure.table(tables.consents));
  const poisonArchive = tablePoisonArchive(azure.table(tables.poison));
  const ledger = tableLedger(azure.table(tables.mailboxes, { maxRetries: 0 }));
  const slots = tableSlots(azure.table(tables.customers));
  const heartbeats = tableHeartbeats(azure.table(tables.heartbeats));
  const uploads = blobUploads(azure.blobs.getContainerClient(containers.uploads));
  const vault = keyVaultSecrets(azure.vault);
  const certificates = keyVaultCertificates(azure.certificates, azure.signer);
  const apiKeyStore = tableApiKeys(azure.table(tables.apiKeys));
  const { isOperatorKey, sign, isSigned } = operatorKeys(settings.OPERATOR_KEY, settings.OPERATOR_KEY_PREVIOUS);

  const clouds = createClouds(config.simulator);
  const endpointsOf = (cloud: Cloud) => {
    const endpoints = clouds(cloud);
    if (!endpoints) throw new Error(`the cloud ${cloud} is not configured`);
    return endpoints;
  };
  const { vendorApp, adminSignIn } = buildVendorApp(config, endpointsOf, clock);
  const tokens = createTokens({
    ...{ vault, certificates, vendorApp, clouds: endpointsOf, clock },
    timeoutMs: settings.CHECK_TIMEOUT,
  });

  const alerts = buildAlerts(
    {
      ...webhooks,
      alertSettings: tableAlertSettings(azure.table(tables.webhooks)),
      tokens,
      clouds: endpointsOf,
      clock,
      log,
    },
    settings,
  );

  const importQueues = storageImportQueues({
    planImport: azure.queues.getQueueClient(queues.planImport),
    dispatchChecks: azure.queues.getQueueClient(queues.dispatchChecks),
    checkMailbox: azure.queues.getQueueClient(queues.checkMailbox),
  });
  const importEvents = {
    async ended(record: Import) {
      // The person who started an action watches it. Webhooks learn what its checks have changed.
      if (record.action) return publishVerdictChanges({ ...webhooks, clock }, record);
      const { id, customerId, connectionId, status } = record;
      signal(log, 'import_ended', { importId: id, customerId, connectionId, status });
      await publishImportEnd({ ...webhooks, ...alerts, clock }, record);
    },
  };
  const messagePoolStore = tableMessagePool(azure.table(tables.imports));
  const machinery = buildImports(
    { imports, connections, ledger, uploads, messagePoolStore, importQueues, clock, log },
    settings,
  );
  const tenantPaces = tableTenantPaces(azure.table(tables.imports));
  const removals = tableRemovals(azure.table(tables.imports));
  const retention = {
    removals,
    previewKeptMs: settings.PREVIEW_KEPT,
    uploadKeptMs: settings.UPLOADS_KEPT,
    rowsKeptMs: settings.ROWS_KEPT,
  };
  const purgeDeps = {
    imports,
    importQueues,
    poisonArchive,
    ledger,
    slots,
    uploads,
    importEvents,
    retention,
    clock,
    ...machinery,
  };
  const directories = buildDirectory(
    { table: azure.table(tables.directory, { maxRetries: 0 }), queues: azure.queues },
    settings,
  );
  const deletionDeps = {
    connections,
    expiryIndex,
    consents,
    poisonArchive,
    vault,
    certificates,
    tokens,
    clock,
    sendDeletion: (message: DeletedConnection, delayMs?: number) =>
      sendMessage(azure.queues.getQueueClient(queues.deleteConnection), { v: 1, ...message }, delayMs),
    async purgeConnection(customerId: string, connectionId: string) {
      await purgeConnection(purgeDeps, customerId, connectionId);
      await purgeDirectory(directories, connectionId);
    },
    removePace: (connection: Connection) => removePaceOf({ tenantPaces, imports, connections }, connection),
  };
  const discardConnection = (customerId: string, connectionId: string) =>
    discardNow(deletionDeps, { customerId, connectionId });

  const microsoft = buildChecker({ tokens, clouds: endpointsOf, clock, settings });
  const tenants = openIdTenantDirectory({ clouds, clock, timeoutMs: settings.CONNECTION_TEST_STEP });
  const connectionTest = buildConnectionTest({
    ...microsoft,
    ...{ connections, tenants, tokens, vault, expiryIndex, clock, settings },
  });

  return {
    ...webhooks,
    ...alerts,
    expiryCalendar,
    ...purgeDeps,
    ...directories,
    ...deletionDeps,
    discardConnection,
    tenantPaces,
    ...microsoft,
    tenants,
    ...connectionTest,
    heldUntil: (connection: Connection) => heldUntil({ tenantPaces, clock }, connection),
    findActiveMailbox: (connectionId: string, except: readonly string[]) =>
      findActiveMailbox({ ledger }, connectionId, except),
    readCertificateFile,
    customers,
    apiKeyStore,
    apiKeys: createApiKeyVerifier(
      { apiKeyStore, customers, clock, isOperatorKey },
      { cachedMs: settings.API_KEY_CACHED, unknownCachedMs: settings.API_KEY_UNKNOWN_CACHED },
    ),
    answers: tableAnswers(azure.table(tables.idempotency)),
    ...buildLimits(settings),
    eventTimes: newEventTimes,
    importWatches: createImportWatches({ imports, ledger, clock, sleep: machinery.sleep, log }),
    outlets: createOutlets(),
    processLog: log,
    auditLog: tableAudit(azure.table(tables.audit)),
    auditKeptMs: settings.AUDIT_KEPT,
    keptUploads: tableKeptUploads(azure.table(tables.imports)),
    keptUploadsMax: settings.PREVIEWS_MAX,
    removals,
    removalLease: tableRemovalLease(azure.table(tables.imports)),
    uploadLeases: tableUploadLeases(azure.table(tables.imports)),
    uploadLeaseMs: settings.UPLOAD_LEASE,
    heartbeats,
    reconcileProgress: tableRunProgress(azure.table(tables.imports), 'reconciliation'),
    registrationProgress: tableRunProgress(azure.table(tables.imports), 'registrations'),
    reverifyProgress: tableRunProgress(azure.table(tables.imports), 'reverification'),
    reverifyWalks: tableReverifyWalks(azure.table(tables.mailboxes, { maxRetries: 0 })),
    reverifyTimes: {
      reverifyAfterMs: settings.REVERIFY_AFTER,
      reverifyFailedAfterMs: settings.REVERIFY_FAILED_AFTER,
    },
    requeueProgress: tableRunProgress(azure.table(tables.imports), 'requeues'),
    orphanSearchProgress: tableRunProgress(azure.table(tables.imports), 'orphaned-secrets'),
    isOwnerGone: (queue: string, message: unknown) => isOwnerGone({ customers, connections, imports }, queue, message),
    progressMarks: tableProgressMarks(azure.table(tables.heartbeats)),
    lookAtQueue: storageQueueLook(azure.queues),
    sendRaw: (queue: string, message: unknown) => sendMessage(azure.queues.getQueueClient(queue), message),
    importStalledAfterMs: settings.IMPORT_STALLED_AFTER,
    schedulerSilentAfterMs: settings.SCHEDULER_SILENT_AFTER,
    startedAt: clock.now(),
    sign,
    isSigned,
    newId: createNewId(clock.now),
    http: { jsonBodyMaxBytes: settings.JSON_BODY_MAX_BYTES, answersRememberedMs: settings.IDEMPOTENCY_REMEMBERED },
    fields: { nameMaxLength: settings.NAME_MAX_LENGTH },
    cancelImports: (customerId: string) => cancelCustomerImports(purgeDeps, customerId),
    customerPurgers: buildCustomerPurgers({
      ...webhooks,
      ...deletionDeps,
      discardConnection,
      imports,
      uploads,
      removals,
      purgeDirectories: (customerId) => purgeDirectoriesOf(directories, customerId),
    }),
    deletionGraceMs: settings.DELETION_GRACE,
    readiness: createReadiness({
      clock,
      heartbeats,
      schedulerSilentAfterMs: settings.SCHEDULER_SILENT_AFTER,
      parts: {
        storage: async () => void (await customers.exists('readiness-probe')),
        vault: async () => void (await vault.get('muster-readiness', 'probe')),
      },
    }),

    vendorApp,
    adminSignIn,
    consentEndpoints: endpointsOf,
    consentLinkValidMs: settings.CONSENT_LINK_VALID,
    publicUrl: config.publicUrl,
    hasCloud: (cloud: Cloud) => clouds(cloud) !== undefined,
    expiringWithinDays: settings.EXPIRING_WITHIN_DAYS,
    replacedSecretKeptMs: settings.REPLACED_SECRET_KEPT,
    orphanedSecretAfterMs: settings.ORPHANED_SECRET_AFTER,
  };
}
