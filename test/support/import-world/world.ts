import type { Import } from '../../../shared/imports/import.ts';
import type { ImportStore } from '../../../shared/imports/import-store.ts';
import type { Ledger } from '../../../shared/imports/ledger/ledger.ts';
import type { ParsedRow, ParsedUpload } from '../../../shared/imports/upload/parsed-row.ts';
import { inMemoryConnections } from '../../fakes/in-memory-connections.ts';
import { inMemoryImports } from '../../fakes/in-memory-imports.ts';
import { inMemoryLedger } from '../../fakes/in-memory-ledger.ts';
import { inMemorySlots } from '../../fakes/in-memory-slots.ts';
import { aConnection, anImport } from '../records.ts';
import { createFastClock } from './fast-clock.ts';
import type { Faults } from './faults.ts';
import { startProcess } from './import-process.ts';
import { createRandom } from './random.ts';
import { createRandomVerbs } from './random-verbs.ts';
import { createSimulatedMailboxes, type SimulatedMailboxes } from './simulated-mailboxes.ts';
import { createSimulatedQueues } from './simulated-queues.ts';

export interface World extends Pick<SimulatedMailboxes, 'verdictOf' | 'drafts'> {
  ledger: Ledger;
  imports: ImportStore;
  slotsUsed(): Promise<number | undefined>;
  /** The ids of the imports whose end was announced. */
  ended: string[];
  /** Starts an import of these addresses. An empty address is a row without one. */
  startImport(addresses: readonly string[]): Promise<Import>;
  /** Runs until every import has ended and no message is left. Rejects if an import does not end in time. */
  run(): Promise<void>;
  rowsWithMessageMax(): number;
}

const RUN_MAX_MS = 20_000;

/**
 * The real import machinery between queues, storage and mailboxes that fail. Two processes take messages as the Functions
 * host hands them out; a killed process is replaced. The faults follow from the seed, the timing from the machine.
 */
export async function createWorld(
  seed: number,
  faults: Faults,
  { slotsMax = 10_000, window = 24 } = {},
): Promise<World> {
  const random = createRandom(seed);
  const clock = createFastClock();
  const queues = createSimulatedQueues(clock);
  const mailboxes = createSimulatedMailboxes(faults, clock, random);
  const ledger = inMemoryLedger();
  const imports = inMemoryImports();
  const connections = inMemoryConnections();
  await connections.insert(aConnection({ grantsChangedAt: clock.now() }));
  const slots = inMemorySlots();
  await slots.open('cust_1', slotsMax);
  const uploads = new Map<string, readonly string[]>();
  const ended: string[] = [];

  const shared = {
    faults,
    random,
    clock,
    queues,
    mailboxes,
    ledger,
    imports,
    connections,
    slots,
    window,
    readUpload: async ({ id }: Import) => parsedUpload(uploads.get(id)),
    onEnded: ({ id }: Import) => void ended.push(id),
  };
  let started = 0;
  const start = () => startProcess(`p${++started}`, shared);
  const processes = [start(), start()];
  const verbs = createRandomVerbs({ imports, connections, queues, clock, random }, faults);

  return {
    ledger,
    imports,
    ended,
    drafts: mailboxes.drafts,
    verdictOf: mailboxes.verdictOf,
    slotsUsed: async () => (await slots.get('cust_1'))?.used,
    rowsWithMessageMax: queues.rowsWithMessageMax,
    async startImport(addresses) {
      const id = `imp_${uploads.size + 1}`;
      const record = anImport({ id, status: 'accepted', cursor: 0, createdAt: clock.now() });
      const { customerId, connectionId } = record;
      uploads.set(id, addresses);
      await imports.openPointer({ importId: id, customerId, connectionId, openedAt: clock.now() });
      await imports.insert(record);
      queues.put({ queue: 'plan', body: { v: 1, customerId, importId: id } });
      return record;
    },
    async run() {
      let kills = faults.kills;
      const until = Date.now() + RUN_MAX_MS;
      while ((await imports.listOpen()).length > 0) {
        if (Date.now() > until) throw new Error('an import did not end');
        await clock.sleep(2_000);
        await verbs.act();
        if (kills > 0 && random() < 0.1) {
          kills--;
          const victim = Math.floor(random() * processes.length);
          processes[victim]?.kill();
          processes[victim] = start();
        }
      }
      // Late duplicates may still be running. They end by themselves.
      do await clock.sleep(20_000);
      while (queues.queued.size > 0 || processes.some((process) => process.isBusy()));
      for (const process of processes) process.kill();
    },
  };
}

function parsedUpload(addresses: readonly string[] | undefined): ParsedUpload | undefined {
  return (
    addresses && {
      columns: { used: {}, ignored: [], delimiter: ',', encoding: 'utf-8' },
      rows: toRows(addresses),
    }
  );
}

async function* toRows(addresses: readonly string[]): AsyncGenerator<ParsedRow> {
  for (const [i, address] of addresses.entries()) {
    const line = i + 2;
    if (address === '') yield { line, ok: false, address, code: 'address_missing', message: 'There is no address.' };
    else yield { line, ok: true, address };
  }
}
