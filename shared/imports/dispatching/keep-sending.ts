import type { HeldLease } from '../import-lease.ts';
import { zeroCounts } from '../ledger/tally.ts';
import { sumReports } from '../ledger/worker-report.ts';
import { tenantKeyOf } from '../tenant-key.ts';
import type { DispatchDeps } from './dispatch-deps.ts';
import { newFlow } from './flow.ts';
import { flowSumsOf } from './measure-flow.ts';
import { holdPace } from './pace-holder.ts';
import { createDueRows, createFreshRows } from './row-buffers.ts';
import { runTick } from './run-tick.ts';
import type { Shift, ShiftEnd } from './shift.ts';
import { createAnswerCount } from './tell-answers.ts';
import { waitingLines } from './waiting-lines.ts';

/** While an import cannot be read completely, it is looked at this often. */
const UNREADABLE_MS = 60_000;

/** Sends the checks of a running import tick by tick, until there is nothing to send or the shift is over. */
export async function keepSending(deps: DispatchDeps, lease: HeldLease): Promise<ShiftEnd> {
  const startedAt = deps.clock.now().getTime();
  const { connectionId, customerId, id } = lease.record;
  const [plan, connection] = await Promise.all([
    deps.ledger.getPlan(connectionId, id),
    deps.connections.get(customerId, connectionId),
  ]);
  if (!plan || !connection) return { kind: 'asleep', until: new Date(startedAt + UNREADABLE_MS) };

  const { checksHeldUntil } = connection.value;
  const tenant = tenantKeyOf(connection.value);
  const answers = createAnswerCount({ clock: deps.clock, log: deps.processLog }, lease.record, tenant);
  const noSums = flowSumsOf(zeroCounts, sumReports([]));
  const flow = lease.record.flow ?? newFlow(startedAt, noSums, deps.dispatching.refusalsMax);
  const shift: Shift = {
    lease,
    plan: plan.value,
    pace: holdPace(deps.tenantPaces, tenant),
    flow,
    fresh: createFreshRows(deps.ledger, lease.record),
    due: createDueRows(deps.ledger, lease.record, () => waitingLines(lease.record, flow)),
    cancelled: {},
    ...(checksHeldUntil && { quietUntil: checksHeldUntil }),
    narrowedAt: 0,
    watchingSince: 0,
    givenBack: { slots: 0, at: 0 },
    answers,
  };
  lease.onRelease((current) => ({ ...current, flow }));
  try {
    for (;;) {
      const end = await runTick(deps, shift);
      if (end) return end;
      if (deps.clock.now().getTime() - startedAt >= deps.dispatching.shiftMs) return { kind: 'over' };
    }
  } finally {
    answers.tell();
    await deps.messagePool.leave(id).catch(() => undefined);
  }
}
