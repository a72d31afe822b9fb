import type { Clock } from '../../kernel/clock.ts';
import type { Slots } from '../../plans/slots.ts';
import { type Import, isEnded } from '../import.ts';
import { changeImport, type ImportStore } from '../import-store.ts';
import { countRows, countUnchecked } from '../ledger/counts.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { countSettled, sumTallies } from '../ledger/tally.ts';
import { reviseExplanations } from './revise-explanations.ts';

/**
 * Receives the end of each import. The same end can arrive twice: if a process dies between announcing and recording it,
 * or if two processes finish the import at the same time.
 */
export interface ImportEvents {
  ended(record: Import): Promise<void>;
}

interface FinishDeps {
  imports: ImportStore;
  ledger: Ledger;
  slots: Pick<Slots, 'trim'>;
  importEvents: ImportEvents;
  clock: Clock;
}

/**
 * Ends an import whose rows are all settled. Resolves to whether the import has ended.
 *
 * The steps are, in this order: explanations, slots, end state, quota, announcement, pointer. Each can be repeated by another
 * process. The import is read before its tallies. The other way around, rows that are planned in between would be
 * missed.
 *
 * The counts of this moment are final and become part of the record: planning is over and every accepted row is settled.
 */
export async function finishImport(deps: FinishDeps, target: Pick<Import, 'customerId' | 'id'>): Promise<boolean> {
  const { customerId, id } = target;
  for (;;) {
    const found = await deps.imports.get(customerId, id);
    if (!found) return true;
    const record = found.value;
    if (isEnded(record.status)) {
      await announceEnd(deps, record);
      return true;
    }
    if (record.status === 'accepted' || record.status === 'planning') return false;
    const plan = await deps.ledger.getPlan(record.connectionId, id);
    if (!plan || !(plan.value.done || plan.value.closed)) return false;
    const counts = sumTallies(await deps.ledger.listTallies(record.connectionId, id));
    if (countSettled(counts) < plan.value.accepted) return false;

    if (counts.failed > 0 && record.status !== 'cancelling') await reviseExplanations(deps, record);
    await deps.slots.trim(customerId, id, counts.slotsFreed);
    const {
      lease: _lease,
      flow: _flow,
      wakeUpAt: _wakeUp,
      canary: _canary,
      canarySettledAt: _settled,
      ...rest
    } = record;
    const ended: Import = {
      ...rest,
      status: record.status === 'cancelling' ? (record.endsAs ?? 'cancelled') : 'completed',
      batches: [],
      counts: countRows(plan.value, counts),
      eventPending: true,
      finishedAt: deps.clock.now(),
    };
    if (ended.status === 'completed') delete ended.finding;
    if ((await deps.imports.update(ended, found.tag)) === undefined) continue;
    await announceEnd(deps, ended);
    return true;
  }
}

async function announceEnd(deps: FinishDeps, record: Import): Promise<void> {
  if (record.eventPending) {
    if (record.counts) await deps.imports.recount(record.customerId, record.id, countUnchecked(record.counts));
    await deps.importEvents.ended(record);
    await changeImport(deps.imports, record.customerId, record.id, (current) =>
      current.eventPending ? { ...current, eventPending: false } : undefined,
    );
  }
  await deps.imports.closePointer(record.id);
}
