import type { ConnectionStore } from '../../../shared/connections/connection-store.ts';
import { pauseImport } from '../../../shared/imports/control/pause-import.ts';
import { resumeImport } from '../../../shared/imports/control/resume-import.ts';
import type { Import } from '../../../shared/imports/import.ts';
import type { ImportStore } from '../../../shared/imports/import-store.ts';
import type { Ledger } from '../../../shared/imports/ledger/ledger.ts';
import type { ImportMessage } from '../../../shared/imports/messages.ts';
import type { TenantPaceStore } from '../../../shared/imports/pacing/tenant-pace.ts';
import { type Reconciled, reconcileCustomer } from '../../../shared/imports/reconciling/reconcile-customer.ts';
import { reverifyMailboxes } from '../../../shared/imports/reverifying/reverify-mailboxes.ts';
import type { ParsedRow, ParsedUpload } from '../../../shared/imports/upload/parsed-row.ts';
import { DomainError } from '../../../shared/kernel/errors.ts';
import { createNewId } from '../../../shared/kernel/ids.ts';
import type { MailboxAction } from '../../../shared/mailboxes/mailbox-action.ts';
import type { Slots } from '../../../shared/plans/slots.ts';
import { inMemoryAudit } from '../../fakes/in-memory-audit.ts';
import { inMemoryConnections } from '../../fakes/in-memory-connections.ts';
import { inMemoryImports } from '../../fakes/in-memory-imports.ts';
import { inMemoryLedger } from '../../fakes/in-memory-ledger.ts';
import { inMemoryMessagePool } from '../../fakes/in-memory-message-pool.ts';
import { inMemorySlots } from '../../fakes/in-memory-slots.ts';
import { inMemoryTenantPaces } from '../../fakes/in-memory-tenant-paces.ts';
import { aConnection, anImport } from '../records.ts';
import type { Faults } from './faults.ts';
import { type ImportProcess, startProcess } from './import-process.ts';
import { createRandom } from './random.ts';
import { createRandomVerbs } from './random-verbs.ts';
import { createSimulatedClock } from './simulated-clock.ts';
import {
  createSimulatedMailboxes,
  type FailureCause,
  mixedVerdicts,
  type SimulatedMailboxes,
} from './simulated-mailboxes.ts';
import { createSimulatedMicrosoft, type MicrosoftOptions, type SimulatedMicrosoft } from './simulated-microsoft.ts';
import { createSimulatedQueues, type SimulatedQueues } from './simulated-queues.ts';
import { simulatedReverification } from './simulated-reverification.ts';

export interface World extends Pick<SimulatedMailboxes, 'verdictOf' | 'drafts' | 'asked'> {
  ledger: Ledger;
  imports: ImportStore;
  connections: ConnectionStore;
  tenantPaces: TenantPaceStore;
  microsoft: SimulatedMicrosoft;
  puts: SimulatedQueues['puts'];
  processes: ImportProcess[];
  slots: Slots;
  /** Reconciles the slots of the first customer. Each step takes up to two seconds. */
  reconcile(): Promise<Reconciled>;
  slotsUsed(): Promise<number | undefined>;
  /** The ids of the imports whose end was announced. */
  ended: string[];
  nowMs(): number;
  /** Seconds since the world began. */
  seconds(): number;
  /** Starts an import of these addresses. An empty address is a row without one. */
  startImport(addresses: readonly string[], customerId?: string): Promise<Import>;
  /** Starts an action on mailboxes of the first connection. */
  startAction(action: MailboxAction, addresses: readonly string[]): Promise<Import>;
  /** Runs the timer that checks mailboxes again, as one of several processes would. */
  reverify(walks?: number): Promise<void>;
  /** Lets time pass without any process. Then as many start as there were. */
  idle(seconds: number): Promise<void>;
  pause(importId: string): Promise<void>;
  /** Changes an import as an API request would, and tells the dispatcher. */
  resume(importId: string): Promise<void>;
  /** Does something after this time. `run` waits for it. */
  after(seconds: number, work: () => Promise<unknown>): void;
  /** Checks something every two seconds for as long as time passes. */
  always(check: () => Promise<void>): void;
  /** Lets time pass until the condition holds. Rejects if that takes longer than `withinSeconds` in the world. */
  until(condition: () => boolean | Promise<boolean>, withinSeconds: number): Promise<void>;
  /** The lines of an import whose messages the process has in hand. */
  inHandOf(process: ImportProcess, importId: string): number[];
  /** The next time that anyone reads tallies, storage is unavailable. */
  failNextTallyRead(): void;
  /** Kills a process. Another one starts three seconds later. */
  kill(process: ImportProcess): void;
  /** Runs until every import has ended and no message is left. Rejects if an import does not end in time. */
  run(withinSeconds?: number): Promise<void>;
}

export interface WorldOptions {
  slotsMax?: number;
  processes?: number;
  /** How many checks may be on the queue for all imports together. */
  windowTotal?: number;
  microsoft?: MicrosoftOptions;
  verdictOf?: (address: string) => 'passed' | 'failed' | 'inconclusive';
  failsAs?: FailureCause;
  /** Which mailbox an address reaches now. Without it, each address has its own. */
  inboxOf?: (address: string) => string;
}

const RUN_MAX_SECONDS = 48 * 3_600;
const RESTART_MS = 3_000;
const CHECK_ALWAYS_MS = 2_000;

/**
 * The real import machinery with the settings of a deployment, between queues, storage and mailboxes that fail. Processes
 * take messages as the Functions host hands them out; a killed process is replaced. Time is simulated, and everything
 * follows from the seed.
 */
export async function createWorld(seed: number, faults: Faults, options: WorldOptions = {}): Promise<World> {
  const { slotsMax = 10_000, windowTotal = 4096, verdictOf = mixedVerdicts } = options;
  const random = createRandom(seed);
  const clock = createSimulatedClock();
  const startedAt = clock.nowMs();
  const queues = createSimulatedQueues(clock, faults, random);
  const microsoft = createSimulatedMicrosoft(clock, random, { ...options.microsoft });
  const mailboxes = createSimulatedMailboxes(
    { faults, clock, random, microsoft },
    verdictOf,
    options.failsAs,
    options.inboxOf,
  );
  const ledger = inMemoryLedger();
  const imports = inMemoryImports();
  const connections = inMemoryConnections();
  const tenantPaces = inMemoryTenantPaces();
  const slots = inMemorySlots();
  const uploads = new Map<string, readonly string[]>();
  const ended: string[] = [];

  const shared = {
    ...{ faults, random, clock, queues, mailboxes, ledger, imports, connections, tenantPaces, slots, windowTotal },
    messagePoolStore: inMemoryMessagePool(),
    readUpload: async ({ id }: Import, afterLine: number) => parsedUpload(uploads.get(id), afterLine),
    onEnded: ({ id }: Import) => void ended.push(id),
  };
  let started = 0;
  const start = () => startProcess(`p${++started}`, shared);
  const processes = Array.from({ length: options.processes ?? 2 }, start);

  function kill(process: ImportProcess): void {
    process.kill();
    processes.splice(processes.indexOf(process), 1);
    void clock.sleep(RESTART_MS).then(() => processes.push(start()));
  }

  const alwaysTrue: (() => Promise<void>)[] = [];
  let checkedAt = 0;
  async function checkAlways(): Promise<void> {
    if (alwaysTrue.length === 0 || clock.nowMs() - checkedAt < CHECK_ALWAYS_MS) return;
    checkedAt = clock.nowMs();
    for (const check of alwaysTrue) await check();
  }

  async function until(condition: () => boolean | Promise<boolean>, withinSeconds: number): Promise<void> {
    const deadline = clock.nowMs() + withinSeconds * 1000;
    while (!(await condition())) {
      if (clock.nowMs() > deadline) throw new Error(`did not happen within ${withinSeconds} seconds`);
      await clock.step();
      await checkAlways();
    }
  }

  let scheduled = 0;
  function after(seconds: number, work: () => Promise<unknown>): void {
    scheduled++;
    void clock.sleep(seconds * 1000).then(async () => {
      await work();
      scheduled--;
    });
  }

  async function customerOf(customerId: string): Promise<string> {
    const connectionId = customerId.replace('cust', 'conn');
    if (!(await connections.get(customerId, connectionId))) {
      // Customers other than the first have a tenant of their own.
      const tenantId = customerId === 'cust_1' ? aConnection().tenantId : customerId;
      await connections.insert(aConnection({ id: connectionId, customerId, tenantId, grantsChangedAt: clock.now() }));
      await slots.open(customerId, slotsMax);
    }
    return connectionId;
  }

  const reverification = simulatedReverification({ clock, imports, connections, ledger, slots, queues, uploads });

  const verbs = createRandomVerbs({ imports, connections, queues, clock, random }, faults);
  const hasOpen = async () => (await imports.listOpen()).length > 0;

  return {
    ...{ ledger, imports, connections, tenantPaces, slots, microsoft, processes, ended, kill, until, after },
    always: (check) => void alwaysTrue.push(check),
    puts: queues.puts,
    inHandOf: (process, importId) => process.handOf(importId),
    failNextTallyRead() {
      const { listTallies } = ledger;
      ledger.listTallies = async () => {
        ledger.listTallies = listTallies;
        throw new DomainError('storage_unavailable', 'Unavailable.', { retryAfterSeconds: 5 });
      };
    },
    drafts: mailboxes.drafts,
    asked: mailboxes.asked,
    verdictOf: mailboxes.verdictOf,
    nowMs: clock.nowMs,
    seconds: () => (clock.nowMs() - startedAt) / 1000,
    async reconcile() {
      const slow =
        <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
        async (...args: Args) => {
          const result = await call(...args);
          if (await hasOpen()) await clock.sleep(random() * 2_000);
          return result;
        };
      const parts = {
        connections: { list: slow(connections.list), listDeletions: slow(connections.listDeletions) },
        imports: { listOpen: slow(imports.listOpen) },
        ledger: {
          getPlan: slow(ledger.getPlan),
          listTallies: slow(ledger.listTallies),
          countSlots: slow(ledger.countSlots),
        },
        slots: { ...slots, getTagged: slow(slots.getTagged), getClaim: slow(slots.getClaim) },
      };
      const auditLog = inMemoryAudit();
      return reconcileCustomer({ ...parts, auditLog, clock, newId: createNewId(clock.now) }, 'cust_1', 'run');
    },
    slotsUsed: async () => (await slots.get('cust_1'))?.used,
    async startImport(addresses, customerId = 'cust_1') {
      const connectionId = await customerOf(customerId);
      const id = `imp_${String(uploads.size + 1).padStart(4, '0')}`;
      const target = { id, customerId, connectionId };
      const record = anImport({ ...target, status: 'accepted', cursor: 0, createdAt: clock.now() });
      uploads.set(id, addresses);
      await imports.openPointer({ importId: id, customerId, connectionId, openedAt: clock.now() });
      await imports.insert(record);
      queues.put({ queue: 'plan', body: { v: 1, customerId, importId: id } });
      return record;
    },
    async startAction(action, addresses) {
      const id = `act_${String(uploads.size + 1).padStart(4, '0')}`;
      const record = anImport({ id, action, status: 'accepted', cursor: 0, createdAt: clock.now() });
      uploads.set(id, addresses);
      await imports.openPointer({ importId: id, customerId: 'cust_1', connectionId: 'conn_1', openedAt: clock.now() });
      await imports.insert(record);
      queues.put({ queue: 'plan', body: { v: 1, customerId: 'cust_1', importId: id } });
      return record;
    },
    async reverify(processCount = 1) {
      await Promise.all(
        Array.from({ length: processCount }, () => reverifyMailboxes(reverification(), () => undefined)),
      );
    },
    async idle(seconds) {
      const count = processes.length;
      for (const process of processes.splice(0)) process.kill();
      let isOver = false;
      void clock.sleep(seconds * 1000).then(() => {
        isOver = true;
      });
      while (!isOver) await clock.step();
      processes.push(...Array.from({ length: count }, start));
    },
    async pause(importId) {
      await pauseImport({ imports, clock }, 'cust_1', importId);
    },
    async resume(importId) {
      const sendDispatch = async (body: ImportMessage) => queues.put({ queue: 'dispatch', body });
      const importQueues = { sendPlan: sendDispatch, sendDispatch, sendCheck: never, getOldestCheckSentAt: never };
      const target = { id: importId, customerId: 'cust_1', connectionId: 'conn_1' };
      const ready = { get: async () => ({ value: aConnection(), tag: '' }) };
      await resumeImport({ imports, connections: ready, importQueues, testConnection: never }, target);
    },
    async run(withinSeconds = RUN_MAX_SECONDS) {
      let kills = faults.kills;
      let nextKillAt = clock.nowMs() + random() * 20_000;
      await until(async () => {
        const [first] = processes;
        if (kills > 0 && first && clock.nowMs() > nextKillAt) {
          kills--;
          nextKillAt += random() * 20_000;
          kill(processes[Math.floor(random() * processes.length)] ?? first);
        }
        await verbs.act();
        return scheduled === 0 && !(await hasOpen());
      }, withinSeconds);
      // Late duplicates and cleanup messages may still be there. They end by themselves.
      await until(() => queues.queued.size === 0 && !processes.some((process) => process.isBusy()), 3_600);
      for (const process of processes) process.kill();
    },
  };
}

async function never(): Promise<never> {
  throw new Error('not used');
}

function parsedUpload(addresses: readonly string[] | undefined, afterLine: number): ParsedUpload | undefined {
  return (
    addresses && {
      columns: { used: {}, ignored: [], delimiter: ',', encoding: 'utf-8' },
      rows: toRows(addresses, afterLine),
    }
  );
}

async function* toRows(addresses: readonly string[], afterLine: number): AsyncGenerator<ParsedRow> {
  for (const [i, address] of addresses.entries()) {
    const line = i + 2;
    if (line <= afterLine) continue;
    if (address === '') yield { line, ok: false, address, code: 'address_missing', message: 'There is no address.' };
    else yield { line, ok: true, address };
  }
}
