import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { InvocationContext, type StorageQueueFunctionOptions, type StorageQueueHandler } from '@azure/functions';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addFunctions } from '../../functions/add-functions.ts';
import { storageImportQueues } from '../../shared/adapters/queues/storage-import-queues.ts';
import { startTelemetry } from '../../shared/adapters/telemetry/start-telemetry.ts';
import { createLog } from '../../shared/edge/telemetry/log.ts';
import { readStoredUpload } from '../../shared/imports/planning/read-stored-upload.ts';
import { metrics, signal } from '../../shared/kernel/signals.ts';
import { queues } from '../../shared/kernel/storage-names.ts';
import { tracedImports, tracedSettler } from '../../shared/wiring/build-telemetry.ts';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { createApiDeps, DOMAIN, OPERATOR_KEY } from '../support/api.ts';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { createFunctionCaller } from '../support/function-caller.ts';
import { jsonOf } from '../support/json-of.ts';
import { type OtlpCollector, type ReceivedSpan, startOtlpCollector } from '../support/otlp-collector.ts';

let azurite: Azurite;
let collector: OtlpCollector;
let end: () => Promise<void>;
let service: QueueServiceClient;

beforeAll(async () => {
  [azurite, collector] = await Promise.all([startAzurite('queue'), startOtlpCollector()]);
  service = QueueServiceClient.fromConnectionString(azurite.connectionString);
  await Promise.all([queues.planImport, queues.dispatchChecks, queues.checkMailbox].map((q) => service.createQueue(q)));
  end = startTelemetry({ otlpEndpoint: collector.url, serviceName: 'muster', instanceId: 'test' });
});
afterAll(async () => {
  await azurite?.stop();
  await collector?.stop();
});

/** The app over fakes, with real queues between its functions, and a clock that runs. */
function startApp() {
  const deps = createApiDeps();
  Object.defineProperty(deps.time, 'now', { get: () => new Date() });
  const imports = tracedImports(deps.imports);
  const clientOf = (name: string) => service.getQueueClient(name);
  const importQueues = storageImportQueues({
    planImport: clientOf(queues.planImport),
    dispatchChecks: clientOf(queues.dispatchChecks),
    checkMailbox: clientOf(queues.checkMailbox),
  });
  const handlers = new Map<string, StorageQueueHandler>();
  const caller = createFunctionCaller();
  const host = {
    ...caller.host,
    storageQueue: <T>(name: string, { handler }: StorageQueueFunctionOptions<T>) =>
      void handlers.set(name, (entry, context) => handler(entry as T, context)),
  };
  addFunctions(host, {
    ...deps,
    imports,
    importQueues,
    settler: tracedSettler(deps.settler),
    sleep: (ms: number) => pause(Math.min(ms, 20)),
    readUpload: (record, afterLine) => readStoredUpload(deps, record, afterLine),
  });
  /** Handles one message as the host does, which begins a trace of its own for each. */
  async function handleNext(name: string): Promise<void> {
    const queue = clientOf(name);
    const { receivedMessageItems } = await queue.receiveMessages();
    const [message] = receivedMessageItems;
    if (!message) throw new Error(`${name} is empty`);
    await queue.deleteMessage(message.messageId, message.popReceipt);
    const random = randomBytes(24).toString('hex');
    const context = new InvocationContext({
      functionName: name,
      traceContext: { traceParent: `00-${random.slice(0, 32)}-${random.slice(32)}-01`, traceState: '', attributes: {} },
    });
    await handlers.get(name)?.(JSON.parse(Buffer.from(message.messageText, 'base64').toString()), context);
  }
  return { deps, caller, handleNext };
}

it('one trace has a mailbox from the upload to its verdict, without a gap, and nothing that is confidential', async () => {
  const { deps, caller, handleNext } = startApp();
  const call = async <Body>(method: string, path: string, key: string, body: unknown) =>
    jsonOf<Body>(await caller.request(method, path, { key, body }));
  const customer = await call<{ id: string }>('POST', '/v1/customers', OPERATOR_KEY, { name: 'A', mailboxSlots: 5 });
  const { key } = await call<{ key: string }>('POST', `/v1/customers/${customer.id}/api-keys`, OPERATOR_KEY, {
    name: 'k',
    role: 'owner',
  });
  await caller.request('GET', '/v1/consent/callback?state=one-time-state&code=one-time-code&error=no', {});
  const connection = await call<{ id: string }>('POST', '/v1/connections', key, {
    name: 'Tailspin',
    tenant: DOMAIN,
    clientId: 'e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37',
    clientSecret: GOOD_SECRET,
    clientSecretExpiresAt: '2036-12-01T00:00:00Z',
  });
  await call('POST', `/v1/connections/${connection.id}/test`, key, undefined);
  const mailboxes = [{ address: `jane@${DOMAIN}` }];
  const { id } = await call<{ id: string }>('POST', `/v1/connections/${connection.id}/imports`, key, { mailboxes });
  await handleNext(queues.planImport);
  // The dispatcher works until every row is settled.
  const dispatching = handleNext(queues.dispatchChecks);
  const check = clientCount(queues.checkMailbox);
  await expect.poll(check, { timeout: 10_000, interval: 50 }).toBeGreaterThan(0);
  await handleNext(queues.checkMailbox);
  await dispatching;
  const ended = (await deps.imports.get(customer.id, id))?.value;
  expect(ended?.traceparent).toMatch(/^00-/);
  const log = createLog({ debug: () => {}, info: () => {}, warn: () => {}, error: () => {} });
  signal(log, 'queue_watched', { queue: 'check-mailbox', depth: 3, poisonDepth: 0, oldestAgeSeconds: 1 });
  await end();

  const parentOf = (span: ReceivedSpan) => collector.spans.find(({ spanId }) => spanId === span.parentSpanId);
  const settled = collector.spans.find(({ name }) => name === 'settle-row');
  const way: string[] = [];
  for (let span = settled; span; span = parentOf(span)) {
    expect(span.traceId).toBe(settled?.traceId);
    way.push(span.name);
  }
  expect(way).toEqual(['settle-row', 'check-mailbox', 'dispatch-checks', 'plan-import', 'imports-create']);
  expect(ended?.traceparent).toContain(settled?.traceId);
  expect(collector.spans.map(({ name }) => name)).toContain('consent-callback');

  expect(collector.metricNames).toContain('muster.queue.depth');
  for (const name of collector.metricNames) expect(Object.keys(metrics)).toContain(name);
  const all = collector.texts.join('\n');
  expect(all).not.toMatch(new RegExp(`@|one-time|${GOOD_SECRET}|${DOMAIN}|${key}|${OPERATOR_KEY}`));
}, 30_000);

function clientCount(name: string): () => Promise<number> {
  const queue = service.getQueueClient(name);
  return async () => (await queue.getProperties()).approximateMessagesCount ?? 0;
}
