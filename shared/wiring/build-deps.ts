import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClientSecretCredential, ManagedIdentityCredential, type TokenCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { blobUploads } from '../adapters/blobs/blob-uploads.ts';
import { createTokens } from '../adapters/entra/client-credential-tokens.ts';
import { createClouds } from '../adapters/entra/clouds.ts';
import { openIdTenantDirectory } from '../adapters/entra/tenant-directory.ts';
import { keyVaultSecrets } from '../adapters/key-vault/key-vault-secrets.ts';
import { operatorKey } from '../adapters/operator-key.ts';
import { storageImportQueues } from '../adapters/queues/storage-import-queues.ts';
import { tableAnswers } from '../adapters/tables/table-answers.ts';
import { tableApiKeys } from '../adapters/tables/table-api-keys.ts';
import { createTableClients } from '../adapters/tables/table-client.ts';
import { tableConnections } from '../adapters/tables/table-connections.ts';
import { tableConsents } from '../adapters/tables/table-consents.ts';
import { tableCustomers } from '../adapters/tables/table-customers.ts';
import { tableHeartbeats } from '../adapters/tables/table-heartbeats.ts';
import { tableImports } from '../adapters/tables/table-imports.ts';
import { tableLedger } from '../adapters/tables/table-ledger.ts';
import { tablePoisonArchive } from '../adapters/tables/table-poison.ts';
import { tableSlots } from '../adapters/tables/table-slots.ts';
import { createApiKeyVerifier } from '../api-keys/verify-api-key.ts';
import type { Cloud } from '../connections/connection.ts';
import { createPropagationSteps } from '../connections/propagation.ts';
import { removeParts } from '../connections/remove-connection.ts';
import { createReadiness } from '../health/readiness.ts';
import { createConnectionCache } from '../imports/checking/connection-cache.ts';
import { createImportCache } from '../imports/checking/import-cache.ts';
import { createRefusalWatch } from '../imports/checking/refusal-watch.ts';
import { createTenantRateLimiter } from '../imports/checking/tenant-rate-limiter.ts';
import { purgeConnection } from '../imports/finishing/purge-connection.ts';
import type { Import } from '../imports/import.ts';
import { createSerialByKey } from '../imports/ledger/serial-by-key.ts';
import { createSettler } from '../imports/ledger/settler.ts';
import { createTallyBook } from '../imports/ledger/tally-book.ts';
import { readUpload } from '../imports/upload/read-upload.ts';
import { systemClock } from '../kernel/clock.ts';
import { createNewId } from '../kernel/ids.ts';
import type { Log } from '../kernel/log.ts';
import { containers, queues, tables } from '../kernel/storage-names.ts';
import { buildChecker } from './build-checker.ts';
import type { AppIdentity, Config, DataStorage } from './config.ts';

/** How many deliveries a message gets; the same number as `maxDequeueCount` in host.json. */
const DELIVERIES_MAX = 5;
const PLAN_SHIFT_MS = 240_000;
/** Checks of a tenant at once to begin with: what Outlook bears without a complaint, by whichever reading of its limits. */
const TENANT_FIRST = 4;
/** Longer waits are spent on the queue, not in a process. */
const TURN_WAITED_FOR_MS = 2_000;
const REFUSAL_HELD_MS = 1_500;
/** More than the answers of Microsoft's that a check waits for one after the other. */
const ANSWERS_OF_A_CHECK = 4;

/** Puts everything together, once for each process. */
export function buildDeps(config: Config, log: Log) {
  const { settings } = config;
  const clock = systemClock;
  const processId = randomBytes(6).toString('hex');
  const credential = credentialOf(config.identity);
  const storage = storageClients(config.storage, credential);

  const connections = tableConnections(storage.table(tables.connections));
  const customerStore = tableCustomers(storage.table(tables.customers));
  const imports = tableImports(storage.table(tables.imports));
  const ledger = tableLedger(storage.table(tables.mailboxes, { maxRetries: 0 }));
  const slots = tableSlots(storage.table(tables.customers));
  const answers = tableAnswers(storage.table(tables.idempotency));
  const heartbeats = tableHeartbeats(storage.table(tables.heartbeats));
  const uploads = blobUploads(storage.blobs.getContainerClient(containers.uploads));
  const vaultClient = new SecretClient(settings.KEY_VAULT_URL, credential, {
    disableChallengeResourceVerification: !settings.KEY_VAULT_VERIFY_RESOURCE,
    retryOptions: { maxRetries: 1, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 },
  });
  const vault = keyVaultSecrets(vaultClient);
  const apiKeyStore = tableApiKeys(storage.table(tables.apiKeys));
  const { isOperatorKey, sign } = operatorKey(settings.OPERATOR_KEY);
  const apiKeys = createApiKeyVerifier({ apiKeyStore, clock, isOperatorKey }, { cachedMs: settings.API_KEY_CACHED });

  const clouds = createClouds(config.simulator);
  const endpointsOf = (cloud: Cloud) => {
    const endpoints = clouds(cloud);
    if (!endpoints) throw new Error(`the cloud ${cloud} is not configured`);
    return endpoints;
  };
  const tokens = createTokens({ vault, clouds: endpointsOf, clock, timeoutMs: settings.CHECK_TIMEOUT });
  const checker = buildChecker({ tokens, clouds: endpointsOf, clock, settings });

  const importQueues = storageImportQueues({
    planImport: storage.queues.getQueueClient(queues.planImport),
    dispatchChecks: storage.queues.getQueueClient(queues.dispatchChecks),
    checkMailbox: storage.queues.getQueueClient(queues.checkMailbox),
  });
  const serialByKey = createSerialByKey();
  const tallies = createTallyBook(processId);
  const uploadLimits = {
    maxBytes: settings.CSV_MAX_BYTES,
    maxRows: settings.CSV_MAX_ROWS,
    recordMaxBytes: settings.CSV_RECORD_MAX_BYTES,
    nameMaxLength: settings.NAME_MAX_LENGTH,
  };
  const importEvents = {
    ended: async ({ id, customerId, connectionId, status }: Import) =>
      log('info', 'import_ended', { importId: id, customerId, connectionId, status }),
  };
  const purgeDeps = { imports, importQueues, ledger, serialByKey, tallies, slots, uploads, importEvents, clock };
  const removeDeps = {
    connections,
    vault,
    tokens,
    purgeConnection: (customerId: string, connectionId: string) => purgeConnection(purgeDeps, customerId, connectionId),
  };

  return {
    ...purgeDeps,
    ...removeDeps,
    ...checker,
    customers: customerStore,
    apiKeyStore,
    apiKeys,
    answers,
    heartbeats,
    sign,
    newId: createNewId(clock.now),
    http: { jsonBodyMaxBytes: settings.JSON_BODY_MAX_BYTES, answersRememberedMs: settings.IDEMPOTENCY_REMEMBERED },
    fields: { nameMaxLength: settings.NAME_MAX_LENGTH },
    nameMaxLength: settings.NAME_MAX_LENGTH,
    customerPurgers: [
      async (customerId: string) => {
        for await (const connection of connections.listAll()) {
          if (connection.customerId === customerId) await removeParts(removeDeps, customerId, connection.id);
        }
      },
      (customerId: string) => uploads.purge(customerId),
    ],
    readiness: createReadiness({
      clock,
      heartbeats,
      parts: {
        storage: async () => {
          await imports.listOpen();
        },
        vault: async () => {
          await vault.get('muster-is-the-vault-there', '');
        },
      },
    }),

    consents: tableConsents(storage.table(tables.consents)),
    consentEndpoints: endpointsOf,
    consentLinkValidMs: settings.CONSENT_LINK_VALID,
    publicUrl: config.publicUrl,
    tenants: openIdTenantDirectory({ clouds, timeoutMs: settings.CHECK_TIMEOUT }),
    hasCloud: (cloud: Cloud) => clouds(cloud) !== undefined,
    expiringWithinDays: settings.EXPIRING_WITHIN_DAYS,

    uploadLimits,
    readUpload: async (record: Import) => {
      const source = await uploads.read(record.customerId, record.id);
      return source && readUpload(record.uploadType, source, uploadLimits);
    },
    importCache: createImportCache({ imports }),
    connectionCache: createConnectionCache({ connections }),
    settler: createSettler(
      { ledger, serialByKey, tallies },
      { together: settings.SETTLE_TOGETHER, withinMs: settings.SETTLE_WITHIN },
    ),
    rateLimiter: createTenantRateLimiter({
      processMax: settings.CHECKS_AT_ONCE,
      tenantInitial: Math.min(TENANT_FIRST, settings.CHECKS_AT_ONCE),
      tenantMax: settings.CHECKS_AT_ONCE,
      waitMs: TURN_WAITED_FOR_MS,
      now: Date.now,
    }),
    refusals: createRefusalWatch({
      refusedInARowMax: settings.REPEATED_REFUSALS_MAX,
      holdMs: REFUSAL_HELD_MS,
      now: Date.now,
    }),
    propagation: createPropagationSteps(settings.PROPAGATION_STEPS),
    limits: {
      giveUpAfterMs: settings.CHECK_GIVE_UP_AFTER,
      retryBaseMs: settings.CHECK_RETRY_BASE,
      cleanupAfterMs: settings.CHECK_TIMEOUT * ANSWERS_OF_A_CHECK,
    },
    poisonArchive: tablePoisonArchive(storage.table(tables.poison)),
    retryDelayMs: settings.STORAGE_RETRY_AFTER,
    deliveriesMax: DELIVERIES_MAX,
    planShiftMs: PLAN_SHIFT_MS,
    planOverdueMs: settings.PLAN_OVERDUE_AFTER,
    sleep: (ms: number) => sleep(ms),
    dispatching: {
      holder: processId,
      windowTotal: settings.WINDOW_TOTAL,
      windowMin: settings.WINDOW_MIN,
      windowMax: settings.WINDOW_MAX,
      pollMs: settings.DISPATCH_POLL,
      shiftMs: settings.DISPATCH_SHIFT,
      leaseMs: settings.DISPATCH_LEASE,
      overdue: { afterMs: settings.BATCH_OVERDUE_AFTER, maxMs: settings.BATCH_OVERDUE_MAX },
    },
  };
}

export type Deps = ReturnType<typeof buildDeps>;

/** The app's own identity. A simulated or private authority is not in Microsoft's list, hence no instance discovery. */
function credentialOf(identity: AppIdentity): TokenCredential {
  if (identity.kind === 'managed') return new ManagedIdentityCredential({ clientId: identity.clientId });
  const { tenantId, clientId, clientSecret, authorityHost } = identity;
  return new ClientSecretCredential(tenantId, clientId, clientSecret.reveal(), {
    ...(authorityHost !== undefined && { authorityHost, disableInstanceDiscovery: true }),
    retryOptions: { maxRetries: 1, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 },
  });
}

const RETRIES = { maxTries: 2, tryTimeoutInMs: 10_000, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 };

function storageClients(storage: DataStorage, credential: TokenCredential) {
  const options = { retryOptions: RETRIES };
  if (storage.kind === 'connectionString') {
    const connectionString = storage.connectionString.reveal();
    return {
      table: createTableClients({ kind: 'connectionString', connectionString: storage.connectionString }),
      blobs: BlobServiceClient.fromConnectionString(connectionString, options),
      queues: QueueServiceClient.fromConnectionString(connectionString, options),
    };
  }
  return {
    table: createTableClients({ kind: 'identity', tableUrl: storage.tableUrl, credential }),
    blobs: new BlobServiceClient(storage.blobUrl, credential, options),
    queues: new QueueServiceClient(storage.queueUrl, credential, options),
  };
}
