import { type GenerationCounts, noGenerationCounts, sumGeneration, sumReports } from '../ledger/worker-report.ts';
import { type Heard, heedAnswers, type PaceEvent } from '../pacing/heed-answers.ts';
import { allowanceOf, shareOfPace } from '../pacing/pace-allowance.ts';
import { LIMIT_WINDOW_MS } from '../pacing/pace-level.ts';
import type { TenantPace } from '../pacing/tenant-pace.ts';
import type { Flow } from './flow.ts';
import { countRecent } from './measure-flow.ts';
import { joinSharers } from './pace-holder.ts';
import { WINDOW_MIN } from './send-window.ts';
import type { Shift, TickView } from './shift.ts';

/** If the learnt limit has kept nothing back for this long, it is not what limits the import. */
const UNBOUND_MS = 60_000;
const PROBE_PAUSE_MAX_MS = 15_000;

/** Brings the tenant's pace up to date with what the workers of this import report. */
export async function keepPace(shift: Shift, view: TickView, givesWay: boolean): Promise<void> {
  const { pace, flow, lease } = shift;
  const importId = lease.record.id;
  const said = sumGeneration(view.reports, pace.value.generation);
  const result = heedAnswers(pace.value, heardBy(shift, view, said));
  if (result) {
    // If another dispatcher was faster, the same is heard again in the next tick.
    if (!(await pace.write(result.pace))) return;
    if (result.event) applyEvent(flow, result.event, view.now);
  }
  // The answers to messages of the new generation are still to come.
  const { generation } = pace.value;
  flow.heard = { generation, ...sumGeneration(view.reports, generation) };
  if (pace.value.mode === 'hold') flow.isStarting = false;
  if (isUnbound(pace.value, flow, view.now)) {
    await pace.write({ ...pace.value, mode: 'free', sharers: {} });
    return;
  }
  const hasWork = lease.record.dispatched < shift.plan.accepted || view.counts.waiting > 0;
  const isSharer = pace.value.mode !== 'free' && hasWork && !givesWay;
  const joined = isSharer ? joinSharers(pace.value, importId, view.now) : undefined;
  if (joined) await pace.write(joined);
}

function heardBy({ lease, flow, pace }: Shift, view: TickView, said: GenerationCounts): Heard {
  const before = flow.heard.generation === pace.value.generation ? flow.heard : noGenerationCounts;
  return {
    importId: lease.record.id,
    now: view.now,
    settled: view.changes.settled,
    throttled: view.changes.throttled,
    ofGeneration: {
      accepted: Math.max(0, said.accepted - before.accepted),
      throttled: Math.max(0, said.throttled - before.throttled),
      returned: Math.max(0, said.returned - before.returned),
    },
    sinceCut: said,
    acceptedLately: countRecent(flow, view.now, LIMIT_WINDOW_MS, 'accepted'),
    unansweredInARow: flow.unansweredInARow,
    retryAt: sumReports(view.reports).retryAt,
    cost: flow.cost,
  };
}

function applyEvent(flow: Flow, event: PaceEvent, now: number): void {
  switch (event) {
    case 'cut':
      flow.isStarting = false;
      return;
    case 'down':
      flow.unansweredInARow = 0;
      return;
    case 'back':
      flow.window = Math.max(WINDOW_MIN, flow.window / 4);
      flow.isStarting = true;
      flow.unansweredInARow = 0;
      return;
    case 'probePassed':
      flow.tokens = 1;
      flow.paceBoundAt = now;
  }
}

function isUnbound(pace: TenantPace, flow: Flow, now: number): boolean {
  if (pace.mode !== 'paced' || now - flow.paceBoundAt <= UNBOUND_MS || now - pace.cutAt <= UNBOUND_MS) return false;
  return shareOfPace(pace, { ...flow, now }) > 2 * countRecent(flow, now, LIMIT_WINDOW_MS, 'accepted');
}

/** How many of the messages that fit into the window the tenant's pace lets through, and whether they are a probe. */
export function paceRoom(shift: Shift, view: TickView, room: number): { room: number; isProbe: boolean } {
  const { pace, flow, lease } = shift;
  const { now, tickMs, sinceLastTickMs, outstanding } = view;
  const allowance = allowanceOf(pace.value, {
    importId: lease.record.id,
    now,
    tickMs,
    sinceLastTickMs,
    tokens: flow.tokens,
    cost: flow.cost,
    remaining: flow.remaining,
    outstanding,
    leastFlightMs: flow.leastFlightMs,
    usedWithin: (ms) => countRecent(flow, now, ms, 'used'),
  });
  flow.tokens = allowance.tokens;
  if (allowance.isProbe) return { room: allowance.messages, isProbe: allowance.messages > 0 };
  if (allowance.messages < room || now < pace.value.holdUntil) flow.paceBoundAt = now;
  return { room: Math.min(room, allowance.messages), isProbe: false };
}

/** Notes in the tenant's pace that this import sends a probe. Resolves to `false` if another import was faster. */
export async function claimProbe({ pace, lease }: Shift, now: number): Promise<boolean> {
  const { value } = pace;
  if (value.mode === 'hold') return pace.write({ ...value, probe: { importId: lease.record.id, sentAt: now } });
  const probes = value.probes + 1;
  const nextProbeAt = now + Math.min(PROBE_PAUSE_MAX_MS, 1000 * 2 ** probes);
  return pace.write({ ...value, probes, nextProbeAt });
}
