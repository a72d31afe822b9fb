import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { addFunctions, type FunctionDeps } from '../../functions/add-functions.ts';
import { docsFiles, toDocsAsset } from '../../functions/http/docs/docs-assets.ts';
import { readCertificateFile } from '../../shared/adapters/certificates/read-certificate-file.ts';
import { expiryCalendar } from '../../shared/adapters/expiry-calendar.ts';
import { operatorKeys } from '../../shared/adapters/operator-key.ts';
import type { NoticeResult } from '../../shared/alerts/send-notice.ts';
import { createApiKey } from '../../shared/api-keys/create-api-key.ts';
import { createApiKeyVerifier } from '../../shared/api-keys/verify-api-key.ts';
import { createConnectionTest } from '../../shared/checks/connection-test/run-test.ts';
import { testConnection } from '../../shared/checks/connection-test/test-connection.ts';
import { withRegistration } from '../../shared/checks/connection-test/with-registration.ts';
import { createScopeCheck } from '../../shared/checks/scope-check/run-scope-check.ts';
import type { Connection } from '../../shared/connections/connection.ts';
import type { VendorApp } from '../../shared/connections/credentials/vendor-app.ts';
import type { AppRegistrations, RegistrationAnswer } from '../../shared/connections/expiry/app-registration.ts';
import { createPropagationSteps } from '../../shared/connections/grants/propagation.ts';
import { discardConnection } from '../../shared/connections/lifecycle/delete-connection.ts';
import type { Organizations } from '../../shared/connections/tenant/organizations.ts';
import type { TenantDirectory } from '../../shared/connections/tenant/tenant-directory.ts';
import { createCustomer } from '../../shared/customers/create-customer.ts';
import type { CustomerPurger } from '../../shared/customers/purge-customer.ts';
import { createRateLimits } from '../../shared/edge/admission/rate-limits.ts';
import { createTurns } from '../../shared/edge/admission/turns.ts';
import type { Outlets } from '../../shared/edge/streaming/outlets.ts';
import { createPlaces } from '../../shared/edge/streaming/places.ts';
import { createReadiness } from '../../shared/health/readiness.ts';
import { createConnectionCache } from '../../shared/imports/checking/connection-cache.ts';
import { createHeartbeat } from '../../shared/imports/checking/heartbeat.ts';
import { createImportCache } from '../../shared/imports/checking/import-cache.ts';
import { createTenantGate } from '../../shared/imports/checking/tenant-gate.ts';
import { cancelCustomerImports } from '../../shared/imports/control/cancel-import.ts';
import { createMessagePool } from '../../shared/imports/dispatching/message-pool.ts';
import { createImportWatches } from '../../shared/imports/events/watch-imports.ts';
import { findActiveMailbox } from '../../shared/imports/ledger/find-active-mailbox.ts';
import { createReportBook } from '../../shared/imports/ledger/report-book.ts';
import { createSerialByKey } from '../../shared/imports/ledger/serial-by-key.ts';
import { createSettler } from '../../shared/imports/ledger/settler.ts';
import { createTallyBook } from '../../shared/imports/ledger/tally-book.ts';
import { heldUntil } from '../../shared/imports/pacing/held-until.ts';
import { createWorkbookReader } from '../../shared/imports/upload/xlsx/read-workbook.ts';
import type { Role } from '../../shared/kernel/actor.ts';
import { createNewId } from '../../shared/kernel/ids.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { isOwnerGone } from '../../shared/operations/poison-owner.ts';
import type { QueueLook } from '../../shared/operations/queue-look.ts';
import { createDeliveryGate } from '../../shared/webhooks/delivery-gate.ts';
import { createRetrySchedule } from '../../shared/webhooks/retry-schedule.ts';
import { inMemoryAlertSettings } from '../fakes/in-memory-alert-settings.ts';
import { inMemoryAnswers } from '../fakes/in-memory-answers.ts';
import { inMemoryApiKeys } from '../fakes/in-memory-api-keys.ts';
import { inMemoryAudit } from '../fakes/in-memory-audit.ts';
import { inMemoryCertificates } from '../fakes/in-memory-certificates.ts';
import { inMemoryConnections } from '../fakes/in-memory-connections.ts';
import { inMemoryConsents } from '../fakes/in-memory-consents.ts';
import { inMemoryCustomers } from '../fakes/in-memory-customers.ts';
import { inMemoryDeliveries } from '../fakes/in-memory-deliveries.ts';
import { inMemoryDirectory } from '../fakes/in-memory-directory.ts';
import { inMemoryExpiryIndex } from '../fakes/in-memory-expiry-index.ts';
import { inMemoryHeartbeats } from '../fakes/in-memory-heartbeats.ts';
import { inMemoryImports } from '../fakes/in-memory-imports.ts';
import { inMemoryKeptUploads } from '../fakes/in-memory-kept-uploads.ts';
import { inMemoryLeases } from '../fakes/in-memory-lease.ts';
import { inMemoryLedger } from '../fakes/in-memory-ledger.ts';
import { inMemoryMessagePool } from '../fakes/in-memory-message-pool.ts';
import { inMemoryOutbox } from '../fakes/in-memory-outbox.ts';
import { inMemoryPoisonArchive } from '../fakes/in-memory-poison-archive.ts';
import { inMemoryProgressMarks } from '../fakes/in-memory-progress-marks.ts';
import { inMemoryReverifyWalks } from '../fakes/in-memory-reverify-walks.ts';
import { inMemoryRunProgress } from '../fakes/in-memory-run-progress.ts';
import { inMemorySigningSecrets } from '../fakes/in-memory-signing-secrets.ts';
import { inMemorySlots } from '../fakes/in-memory-slots.ts';
import { inMemoryTenantPaces } from '../fakes/in-memory-tenant-paces.ts';
import { inMemoryUploadLeases } from '../fakes/in-memory-upload-leases.ts';
import { inMemoryUploads } from '../fakes/in-memory-uploads.ts';
import { inMemoryVault } from '../fakes/in-memory-vault.ts';
import { inMemoryWebhooks } from '../fakes/in-memory-webhooks.ts';
import { offLimitsMailbox } from '../fakes/off-limits-mailbox.ts';
import { simulatedGroups } from '../fakes/simulated-groups.ts';
import { simulatedReceiver } from '../fakes/simulated-receiver.ts';
import { simulatedSignIn } from '../fakes/simulated-sign-in.ts';
import { simulatedTenant } from '../fakes/simulated-tenant.ts';
import { simulatedUsers } from '../fakes/simulated-users.ts';
import { createFunctionCaller } from './function-caller.ts';
import { type AnswerCheck, createOpenApiCheck } from './openapi-check.ts';
import { someRetention } from './some-retention.ts';

export const OPERATOR_KEY = 'the-operator-key-of-these-tests-0123456789';
export const JSON_BODY_MAX_BYTES = 1_048_576;
export const NOW = new Date('2026-06-01T00:00:00Z');
export const TENANT_ID = '5a1c6f3e-0b7d-4e29-9c84-2f6e8d1b7a50';
/** The app of the service. */
export const VENDOR_APP_ID = '7f3b5a1e-6d0c-4c0b-9d8a-0a9f6a3f2b10';
export const DOMAIN = 'tailspin.example';
const docsAssets = docsFiles.map((file) => toDocsAsset(file, gzipSync(`the content of ${file}`)));
const operator = { keyId: 'operator', role: 'operator' } as const;

/** An ID that is well formed and that nothing has. */
export const absentId = (kind: string) => `${kind}_${'0'.repeat(23)}`;

const uploadLimits = { maxBytes: 100_000, maxRows: 1_000, recordMaxBytes: 65_536, nameMaxLength: 200 };

/** The dependencies of all functions, over fakes. */
export function createApiDeps() {
  const time = { now: NOW };
  const clock = { now: () => time.now };
  const apiKeyStore = inMemoryApiKeys();
  const { isOperatorKey, sign, isSigned } = operatorKeys(new Secret(OPERATOR_KEY));
  const heartbeats = inMemoryHeartbeats();
  const unavailable = { storage: false, vault: false };
  const checkPart = (part: 'storage' | 'vault') => async () => {
    if (unavailable[part]) throw new Error(`${part} is unavailable`);
  };
  const purgers: CustomerPurger[] = [];
  const vault = inMemoryVault(clock.now);
  const certificates = inMemoryCertificates(clock.now);
  const tenant = simulatedTenant(TENANT_ID, { vault, certificates });
  const sent: unknown[] = [];
  const processEvents: object[] = [];
  const send = async (message: unknown) => void sent.push(message);
  const customers = inMemoryCustomers();
  const imports = inMemoryImports();
  const ledger = inMemoryLedger();
  const connections = inMemoryConnections();
  const expiryIndex = inMemoryExpiryIndex();
  const consents = inMemoryConsents();
  const poisonArchive = inMemoryPoisonArchive();
  const serialByKey = createSerialByKey();
  const tenantGate = createTenantGate({ checksMax: 4, now: Date.now });
  const reports = createReportBook({ clock, running: tenantGate.running });
  const tallies = createTallyBook('test', reports, clock);
  const settler = createSettler(
    { ledger, serialByKey, tallies, reports, clock, sleep: (ms) => pause(ms) },
    { together: 8, withinMs: 5 },
  );
  const retention = someRetention();
  const importQueues = {
    sendPlan: send,
    sendDispatch: send,
    sendCheck: send,
    getOldestCheckSentAt: async () => undefined,
  };
  const deletionDeps = {
    connections,
    expiryIndex,
    consents,
    poisonArchive,
    vault,
    certificates,
    tokens: tenant.tokens,
    clock,
    sendDeletion: send,
    purgeConnection: async () => undefined,
    removePace: async () => undefined,
  };
  const tenants: TenantDirectory = {
    async find(cloud, name) {
      return name === DOMAIN || name === TENANT_ID ? { tenantId: TENANT_ID, cloud } : undefined;
    },
  };
  /** Set `read` to tell what the connection test learns of the tenant. */
  const organizations: Organizations = { read: async () => undefined };
  /** What Entra shows about the app. Set it to let the app read its registration. */
  const registrations: AppRegistrations & { answer: RegistrationAnswer; reads: number } = {
    answer: { kind: 'refused' },
    reads: 0,
    async read() {
      registrations.reads++;
      return registrations.answer;
    },
  };
  const resourceOf = () => 'https://graph.microsoft.com';
  const { tokens, checker } = tenant;
  const offLimits = offLimitsMailbox();
  const runScopeCheck = createScopeCheck({
    ...{ tokens: tenant.tokens, clock, stepLimitMs: 200 },
    offLimitsMail: offLimits.mail,
    roleAssignments: { read: async () => offLimits.assignments },
    graph: { clear: async () => ({ removals: [], found: { kind: 'accepted', value: [] } }) },
    protocols: { imap: async () => ({ kind: 'lost' }), smtp: async () => ({ kind: 'lost' }) },
  });
  const tenantPaces = inMemoryTenantPaces();
  const testDeps = { ...{ tenants, tokens, checker, organizations, resourceOf, clock }, stepLimitMs: 2_000 };
  const runTest = withRegistration({ ...testDeps, registrations, vault, expiryIndex }, createConnectionTest(testDeps));
  return {
    ...deletionDeps,
    /** The tenant of every connection. */
    tenant,
    checker,
    discardConnection: (customerId: string, connectionId: string) =>
      discardConnection(deletionDeps, { customerId, connectionId }),
    replacedSecretKeptMs: 3 * 86_400_000,
    orphanedSecretAfterMs: 3_600_000,
    consentEndpoints: () => ({
      loginUrl: 'https://login.test',
      graphResource: 'https://graph.microsoft.com',
      exchangeResource: 'https://outlook.office365.com',
    }),
    consentLinkValidMs: 3_600_000,
    adminSignIn: simulatedSignIn(),
    vendorApp: { clientId: VENDOR_APP_ID, cloud: 'global' } as VendorApp,
    publicUrl: 'https://muster.test',
    docsAssets: async () => docsAssets,
    tenants,
    readCertificateFile,
    runTest,
    /** What Microsoft answers to a scope check. */
    offLimits,
    runScopeCheck,
    heldUntil: (connection: Connection) => heldUntil({ tenantPaces, clock }, connection),
    findActiveMailbox: (connectionId: string, except: readonly string[]) =>
      findActiveMailbox({ ledger }, connectionId, except),
    testConnection: (customerId: string, connectionId: string) =>
      testConnection({ connections, runTest }, { customerId }, connectionId),
    hasCloud: (cloud: string) => cloud !== 'simulator',
    expiringWithinDays: 30,
    organizations,
    registrations,
    imports,
    ledger,
    uploads: inMemoryUploads(),
    retention,
    removals: retention.removals,
    removalLease: inMemoryLeases(() => 'removals'),
    keptUploads: inMemoryKeptUploads(),
    keptUploadsMax: 3,
    uploadLeases: inMemoryUploadLeases(),
    uploadLeaseMs: 15_000,
    uploadLimits,
    readWorkbook: createWorkbookReader({ ...uploadLimits, workbookMaxBytes: 50_000, unpackedMaxBytes: 1_000_000 }),
    /** Messages that were put on queues. */
    sent,
    importQueues,
    cancelImports: (customerId: string) => cancelCustomerImports({ imports, importQueues }, customerId),
    deletionGraceMs: 7 * 24 * 3_600_000,
    importEvents: { ended: async () => undefined },
    webhooks: inMemoryWebhooks(),
    deliveries: inMemoryDeliveries(),
    outbox: inMemoryOutbox(),
    signingSecrets: inMemorySigningSecrets(clock.now),
    webhookSender: simulatedReceiver(),
    eventQueues: { sendPublish: send, sendDelivery: send },
    retrySchedule: createRetrySchedule([5_000, 60_000]),
    deliveryGate: createDeliveryGate(4),
    webhookDisabledAfterMs: 5 * 86_400_000,
    webhookDisabled: async () => undefined,
    alsoTell: async () => undefined,
    sendEmail: async (): Promise<NoticeResult> => ({ result: 'succeeded' }),
    alertSettings: inMemoryAlertSettings(),
    directory: inMemoryDirectory(),
    sendDirectory: send,
    directoryLimits: { leaseMs: 90_000, shiftMs: 240_000, giveUpAfterMs: 86_400_000, keptMs: 30 * 86_400_000 },
    selectionMax: 1_000,
    newRound: () => 'round',
    tenantUsers: simulatedUsers(),
    tenantGroups: simulatedGroups(),
    expiryCalendar,
    deliveryLogKeptMs: 30 * 86_400_000,
    deliveryLogMax: 10_000,
    serialByKey,
    tallies,
    reports,
    settler,
    tenantGate,
    heartbeat: createHeartbeat({ reports, settler, clock, sleep: (ms) => pause(ms) }),
    tenantPaces,
    messagePool: createMessagePool({ store: inMemoryMessagePool(), importQueues, clock }, { totalMax: 24 }),
    importCache: createImportCache({ imports, clock }),
    connectionCache: createConnectionCache({ connections, clock }),
    propagation: createPropagationSteps([0]),
    limits: { giveUpAfterMs: 60_000, retryBaseMs: 100, cleanupAfterMs: 1_000 },
    retryDelayMs: 15_000,
    deliveriesMax: 5,
    readUpload: async () => undefined,
    planShiftMs: 240_000,
    planOverdueMs: 60_000,
    pausedMaxMs: 30 * 86_400_000,
    sleep: async () => undefined,
    leasing: { holder: 'test', leaseMs: 10_000 },
    dispatching: { windowTotal: 24, checksMax: 4, refusalsMax: 20, shiftMs: 1_000 },
    /** Set `now` to let time pass. */
    time,
    clock,
    newId: createNewId(clock.now),
    sign,
    isSigned,
    http: { jsonBodyMaxBytes: JSON_BODY_MAX_BYTES, answersRememberedMs: 24 * 3_600_000 },
    fields: { nameMaxLength: 200 },
    customers,
    slots: inMemorySlots(),
    apiKeyStore,
    apiKeys: createApiKeyVerifier(
      { apiKeyStore, customers, clock, isOperatorKey },
      { cachedMs: 15_000, unknownCachedMs: 10_000 },
    ),
    answers: inMemoryAnswers(),
    auditLog: inMemoryAudit(),
    auditKeptMs: 400 * 24 * 3_600_000,
    quotas: { connectionsMax: 500, keysMax: 100, webhooksMax: 20, runningImportsMax: 100, rejectedRowsMax: 10_000 },
    rateLimits: createRateLimits({
      requestsPerKey: 1_000,
      requestsPerCustomer: 2_000,
      requestsWindowMs: 10_000,
      connectionTestsPerMinute: 120,
      madeKeysPerMinute: 120,
      failedKeysPerMinute: 60,
      publicRequestsPerMinute: 600,
    }),
    // Refusals without a pause: no test has to wait for them.
    turns: createTurns({ requestsAtOnce: 4, requestsWaiting: 100 }, async () => undefined),
    eventPlaces: createPlaces(16),
    // No test has to wait for the end of a stream.
    eventTimes: () => ({ heartbeatMs: 100, lastsMs: 250, stalledAfterMs: 100, verifyMs: 20 }),
    importWatches: createImportWatches({ imports, ledger, clock, sleep: (ms) => pause(ms), log: () => undefined }),
    downloadPlaces: createPlaces(2),
    // Answers over fakes do not go to any connection.
    outlets: { find: () => undefined, headersOf: () => undefined } as Outlets,
    /** Events that were logged after an answer, such as the end of a download. */
    processEvents,
    processLog: (level: string, event: string, fields: object = {}) =>
      void processEvents.push({ level, event, ...fields }),
    customerPurgers: purgers,
    heartbeats,
    reconcileProgress: inMemoryRunProgress(),
    registrationProgress: inMemoryRunProgress(),
    requeueProgress: inMemoryRunProgress(),
    reverifyProgress: inMemoryRunProgress(),
    reverifyWalks: inMemoryReverifyWalks(),
    reverifyTimes: { reverifyAfterMs: 7 * 86_400_000, reverifyFailedAfterMs: 86_400_000 },
    orphanSearchProgress: inMemoryRunProgress(),
    isOwnerGone: (queue: string, message: unknown) => isOwnerGone({ customers, connections, imports }, queue, message),
    progressMarks: inMemoryProgressMarks(),
    sendRaw: async (_queue: string, message: unknown) => send(message),
    lookAtQueue: async (_queue: string): Promise<QueueLook> => ({ depth: 0 }),
    importStalledAfterMs: 900_000,
    schedulerSilentAfterMs: 900_000,
    startedAt: clock.now(),
    /** Set a part to `true` to make it unavailable. */
    unavailable,
    readiness: createReadiness({
      clock,
      heartbeats,
      schedulerSilentAfterMs: 900_000,
      parts: { storage: checkPart('storage'), vault: checkPart('vault') },
    }),
  };
}

let checkAnswer: AnswerCheck | undefined;

/** The whole app over fakes, without a Functions host. Each request takes as long as a function call. */
export function createApi() {
  const deps = createApiDeps() satisfies FunctionDeps;
  const api = createFunctionCaller();
  const { routes } = addFunctions(api.host, deps);
  // The document of one app is that of every other one, and writing it takes longer than most tests.
  checkAnswer ??= createOpenApiCheck(routes);
  api.checkAnswers(checkAnswer);

  return {
    ...api,
    deps,
    /** Creates a customer and an API key for it. */
    async customer({
      role = 'owner',
      name = 'Acme',
      mailboxSlots = 10,
    }: {
      role?: Role;
      name?: string;
      mailboxSlots?: number;
    } = {}) {
      const { customer } = await createCustomer(deps, { name, mailboxSlots });
      return { id: customer.id, key: await this.keyFor(customer.id, role) };
    },
    async keyFor(customerId: string, role: Role, expiresAt?: Date): Promise<string> {
      const input = { name: role, role, ...(expiresAt && { expiresAt }) };
      return (await createApiKey(deps, operator, customerId, input)).text;
    },
  };
}
