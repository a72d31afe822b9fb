import type { Connection } from '../connections/connection.ts';
import type { CustomerActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import { DomainError } from '../kernel/errors.ts';
import type { NewId } from '../kernel/ids.ts';
import type { Slots } from '../plans/slots.ts';
import type { Import } from './import.ts';
import type { ImportQueues } from './import-queues.ts';
import type { ImportStore } from './import-store.ts';
import type { Ledger } from './ledger/ledger.ts';
import { isTaken } from './planning/planned-row.ts';
import type { ParsedRow } from './upload/parsed-row.ts';

export interface StartDeps {
  imports: ImportStore;
  ledger: Ledger;
  importQueues: ImportQueues;
  slots: Pick<Slots, 'get'>;
  uploads: { remove(customerId: string, importId: string): Promise<void> };
  clock: Clock;
  newId: NewId;
}

/**
 * Stores the upload under the import's name while it is read and judged, each row handed to `visit`. Rejects, with
 * nothing left behind, when the file as a whole cannot be read.
 */
export type ReceiveUpload = (importId: string, visit: (row: ParsedRow) => void) => Promise<{ uploadType: string }>;

/**
 * Takes an upload in and sends it on its way: file first, then the pointer by which the sweep finds it, then the record,
 * then the message. A death in between leaves a file that the storage's own rule removes, or an import that the sweep
 * starts.
 *
 * @throws DomainError `connection_not_ready`, `slot_limit_reached` with `needed` and `free`, `file_…`, `payload_too_large`
 */
export async function startImport(
  deps: StartDeps,
  actor: CustomerActor,
  connection: Connection,
  receive: ReceiveUpload,
): Promise<Import> {
  requireReady(connection);
  const { customerId } = actor;
  const importId = deps.newId('imp');
  const demand = await slotDemand(deps, connection.id);
  const { uploadType } = await receive(importId, demand.count);
  try {
    const { needed } = demand;
    const free = await freeSlots(deps, customerId);
    if (needed() > free) throw tooFewSlots(needed(), free);
    const now = deps.clock.now();
    await deps.imports.openPointer({ importId, customerId, connectionId: connection.id, openedAt: now });
    const record: Import = {
      id: importId,
      customerId,
      connectionId: connection.id,
      status: 'accepted',
      epoch: 1,
      cursor: 0,
      dispatched: 0,
      batches: [],
      eventPending: false,
      uploadType,
      createdAt: now,
    };
    await deps.imports.insert(record);
    // The import stands from here on: should its message not come through, the sweep sends another.
    await deps.importQueues.sendPlan({ v: 1, customerId, importId }).catch(() => undefined);
    return record;
  } catch (error) {
    if (error instanceof DomainError && error.code === 'slot_limit_reached')
      await deps.uploads.remove(customerId, importId);
    throw error;
  }
}

export function requireReady(connection: Connection): void {
  if (connection.status === 'ready') return;
  const why =
    connection.status === 'failing'
      ? 'Mend what its finding says, then test it again.'
      : 'Give the app consent, then call POST …/test; once the test passes, imports are accepted.';
  throw new DomainError('connection_not_ready', `The connection is ${connection.status}, not ready. ${why}`);
}

/** Counts, row by row, the slots that an upload would need beyond those its mailboxes hold already. */
export async function slotDemand(deps: { ledger: Ledger }, connectionId: string) {
  const holders = new Set<string>();
  const taken = new Set<string>();
  for await (const { value: mailbox } of deps.ledger.eachMailbox(connectionId)) {
    if (mailbox.slotClaimedBy) holders.add(mailbox.address);
    if (isTaken(mailbox)) taken.add(mailbox.address);
  }
  const seen = new Set<string>();
  let needed = 0;
  return {
    isTaken: (address: string) => taken.has(address),
    holdsSlot: (address: string) => holders.has(address),
    needed: () => needed,
    count(row: ParsedRow): void {
      if (!row.ok || seen.has(row.address)) return;
      seen.add(row.address);
      if (!taken.has(row.address) && !holders.has(row.address)) needed++;
    },
  };
}

export async function freeSlots(deps: Pick<StartDeps, 'slots'>, customerId: string): Promise<number> {
  const slots = await deps.slots.get(customerId);
  return slots ? Math.max(0, slots.limit - slots.used) : 0;
}

function tooFewSlots(needed: number, free: number): DomainError {
  return new DomainError(
    'slot_limit_reached',
    `This import needs ${needed} mailbox slots and the plan has ${free} free. Disconnect mailboxes that are no longer needed, ask for more slots, or send fewer rows.`,
    { members: { needed, free } },
  );
}
