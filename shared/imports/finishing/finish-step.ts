import type { Clock } from '../../kernel/clock.ts';
import type { Slots } from '../../plans/slots.ts';
import { removeMarked } from '../actions/remove-marked.ts';
import type { EndCheckpoint, Import } from '../import.ts';
import type { HeldLease } from '../import-lease.ts';
import { countRows } from '../ledger/counts.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { PlanRecord } from '../ledger/plan-record.ts';
import { countSettled, sumTallies, type TallyCounts } from '../ledger/tally.ts';
import { type CancelDeps, cancelRows } from './cancel-rows.ts';
import { closePlan } from './close-plan.ts';
import { findMorePassedProbes, findPassedProbes } from './find-passed-probes.ts';
import { reviseExplanations } from './revise-explanations.ts';

export interface FinishStepDeps extends CancelDeps {
  ledger: Ledger;
  slots: Pick<Slots, 'trim'>;
  clock: Clock;
}

/** What a step did. After `open`, rows need a verdict first. After `lost`, somebody else has changed the import. */
type FinishStep = 'more' | 'ended' | 'open' | 'lost';

/**
 * Does one bounded piece of the work at an import's end, under its lease, and saves how far it has got.
 *
 * An import that is being cancelled settles its open rows. Any other import explains its denials. Then both give slots
 * back and get their end state. Each piece can be repeated by another process.
 */
export async function finishStep(deps: FinishStepDeps, lease: HeldLease): Promise<FinishStep> {
  const { record } = lease;
  const next = record.status === 'cancelling' ? await cancelStep(deps, lease) : await explainStep(deps, lease);
  if (next === 'lost') return 'lost';
  if (next === 'done') return close(deps, lease);
  return (await lease.write((current) => ({ ...current, ending: next }))) ? 'more' : 'lost';
}

/** Whether every accepted row of an import is settled, and no row can be added. It stays so. */
export async function readFinalCounts(
  { ledger }: { ledger: Pick<Ledger, 'getPlan' | 'listTallies'> },
  { connectionId, id }: Import,
): Promise<{ plan: PlanRecord; counts: TallyCounts } | undefined> {
  const plan = (await ledger.getPlan(connectionId, id))?.value;
  if (!plan || !(plan.done || plan.closed)) return undefined;
  const counts = sumTallies(await ledger.listTallies(connectionId, id));
  return countSettled(counts) >= plan.accepted ? { plan, counts } : undefined;
}

async function cancelStep(deps: FinishStepDeps, lease: HeldLease): Promise<EndCheckpoint | 'done' | 'lost'> {
  const { record } = lease;
  const checkpoint = record.ending?.step === 'cancel' ? record.ending : undefined;
  if (!checkpoint) await closePlan(deps, record);
  const line = await cancelRows(deps, lease, checkpoint?.line ?? 0);
  return line === 'lost' || line === 'done' ? line : { step: 'cancel', line };
}

async function explainStep(deps: FinishStepDeps, lease: HeldLease): Promise<EndCheckpoint | 'done' | 'lost'> {
  const { record } = lease;
  const checkpoint = record.ending?.step === 'cancel' ? undefined : record.ending;
  if (checkpoint?.step === 'findPassed') return findMorePassedProbes(deps.ledger, record, checkpoint);
  const counts = sumTallies(await deps.ledger.listTallies(record.connectionId, record.id));
  const next = checkpoint ?? (await findPassedProbes(deps.ledger, record, counts));
  if (next === 'done' || next.step === 'findPassed') return next;
  return reviseExplanations(deps, lease, next, counts.failed);
}

/**
 * Trims the claim, and then writes the end state. The counts of this moment are final and become part of the record:
 * planning is over and every accepted row is settled.
 */
async function close(deps: FinishStepDeps, lease: HeldLease): Promise<FinishStep> {
  const { record } = lease;
  const final = await readFinalCounts(deps, record);
  if (!final) {
    // A row is open that should not be. The next round looks at all of them again.
    return (await lease.write(({ ending: _wrong, ...current }) => current)) ? 'open' : 'lost';
  }
  if (record.action === 'remove') await removeMarked(deps, record, final.plan.line);
  await deps.slots.trim(record.customerId, record.id, final.counts.slotsFreed);
  const isSaved = await lease.write((current) => endedImport(current, final, deps.clock.now()));
  return isSaved ? 'ended' : 'lost';
}

function endedImport(record: Import, final: { plan: PlanRecord; counts: TallyCounts }, finishedAt: Date): Import {
  const {
    lease: _lease,
    flow: _flow,
    waitingFor: _waitingFor,
    wakeUpAt: _wakeUp,
    canary: _canary,
    canarySettledAt: _settled,
    ending: _ending,
    pausedAt: _paused,
    ...rest
  } = record;
  const ended: Import = {
    ...rest,
    status: record.status === 'cancelling' ? (record.endsAs ?? 'cancelled') : 'completed',
    batches: [],
    counts: countRows(final.plan, final.counts),
    findingCounts: final.plan.findingCounts,
    eventPending: true,
    finishedAt,
  };
  if (ended.status === 'completed') delete ended.finding;
  return ended;
}
