import type { Import } from '../../shared/imports/import.ts';
import type { ImportStore } from '../../shared/imports/import-store.ts';
import type { CommitResult, Ledger } from '../../shared/imports/ledger/ledger.ts';
import { createReportBook } from '../../shared/imports/ledger/report-book.ts';
import { createSerialByKey } from '../../shared/imports/ledger/serial-by-key.ts';
import type { SettledMailbox } from '../../shared/imports/ledger/settled-mailbox.ts';
import { createTallyBook } from '../../shared/imports/ledger/tally-book.ts';
import type { PlanDeps } from '../../shared/imports/planning/plan-import.ts';
import type { ParsedRow } from '../../shared/imports/upload/parsed-row.ts';
import type { RowFault } from '../../shared/imports/upload/row-findings.ts';
import type { Slots } from '../../shared/plans/slots.ts';
import { inMemoryConnections } from '../fakes/in-memory-connections.ts';
import { inMemoryImports } from '../fakes/in-memory-imports.ts';
import { inMemoryLedger } from '../fakes/in-memory-ledger.ts';
import { inMemorySlots } from '../fakes/in-memory-slots.ts';
import { aConnection, anImport, RECORDS_NOW } from './records.ts';

/**
 * Addresses as they occur in an upload, line by line. The first one is on line 2, below a header. An empty one is
 * rejected; one that ends in `.con` has a warning.
 */
export type Addresses = Iterable<string>;

interface Options {
  ledger?: Ledger;
  imports?: ImportStore;
  slots?: Slots;
  slotsMax?: number;
  planShiftMs?: number;
}

/** What `planImport` works on: uploads, storage, and a clock that the test moves. */
export async function createPlanningWorld(options: Options = {}) {
  const { ledger = inMemoryLedger(), imports = inMemoryImports(), slots = inMemorySlots() } = options;
  const { slotsMax = 10_000_000, planShiftMs = 240_000 } = options;
  await slots.open('cust_1', slotsMax);
  const uploads = new Map<string, Addresses>();
  const time = { now: RECORDS_NOW };
  const sent = { plan: 0, dispatch: 0 };
  const checked: SettledMailbox[] = [];
  const connections = inMemoryConnections();
  await connections.insert(aConnection());
  const clock = { now: () => time.now };
  const reports = createReportBook({ clock, running: () => 0 });
  const deps: PlanDeps = {
    serialByKey: createSerialByKey(),
    tallies: createTallyBook('planner', reports, clock, (_id, settled) => void checked.push(...settled)),
    limits: { cleanupAfterMs: 1_000 },
    connections,
    sendDeletion: async () => undefined,
    ledger,
    imports,
    slots,
    clock,
    planShiftMs,
    planOverdueMs: 90_000,
    importQueues: {
      sendPlan: async () => void sent.plan++,
      sendDispatch: async () => void sent.dispatch++,
      sendCheck: async () => undefined,
      getOldestCheckSentAt: async () => undefined,
    },
    readUpload: async ({ id }, afterLine) => {
      const addresses = uploads.get(id);
      return addresses && { columns: { used: {}, ignored: [] }, rows: toRows(addresses, afterLine) };
    },
  };
  return {
    deps,
    slots,
    time,
    sent,
    /** The mailboxes whose verdicts were told. */
    checked,
    async addImport(id: string, addresses: Addresses, change: Partial<Import> = {}): Promise<Import> {
      uploads.set(id, addresses);
      return imports.insert(anImport({ id, status: 'accepted', cursor: 0, ...change }));
    },
  };
}

async function* toRows(addresses: Addresses, afterLine: number): AsyncGenerator<ParsedRow> {
  let line = 1;
  for (const address of addresses) {
    if (++line <= afterLine) continue;
    if (address === '') yield { line, ok: false, address, code: 'address_missing', message: 'There is no address.' };
    else if (address.endsWith('.con')) yield { line, ok: true, address, warning: misspelled(address) };
    else yield { line, ok: true, address };
  }
}

const misspelled = (address: string): RowFault => ({
  code: 'domain_misspelled',
  message: 'Did you mean .com?',
  suggestion: address.replace(/n$/, 'm'),
});

/** Calls of a ledger, by name. `refused` counts the transactions that met a conflict. */
interface LedgerCalls {
  commit: number;
  refused: number;
  getMailbox: number;
  getMailboxes: number;
  eachMailbox: number;
}

/** A ledger that counts its calls. */
export function countedLedger(ledger: Ledger): { ledger: Ledger; calls: LedgerCalls } {
  const calls: LedgerCalls = { commit: 0, refused: 0, getMailbox: 0, getMailboxes: 0, eachMailbox: 0 };
  return {
    calls,
    ledger: {
      ...ledger,
      async commit(connectionId, changes): Promise<CommitResult> {
        calls.commit++;
        const result = await ledger.commit(connectionId, changes);
        if (!result.committed) calls.refused++;
        return result;
      },
      getMailbox(connectionId, address) {
        calls.getMailbox++;
        return ledger.getMailbox(connectionId, address);
      },
      getMailboxes(connectionId, addresses) {
        calls.getMailboxes++;
        return ledger.getMailboxes(connectionId, addresses);
      },
      eachMailbox(connectionId) {
        calls.eachMailbox++;
        return ledger.eachMailbox(connectionId);
      },
    },
  };
}
