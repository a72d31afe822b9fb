import type { Clock } from '../../kernel/clock.ts';
import type { Import } from '../import.ts';
import type { Ledger, LedgerChange } from '../ledger/ledger.ts';
import { newPlanRecord } from '../ledger/plan-record.ts';

/** Ends planning, so that no row is added afterwards. Repeatable. */
export async function closePlan(deps: { ledger: Ledger; clock: Clock }, record: Import): Promise<void> {
  for (;;) {
    const plan = await deps.ledger.getPlan(record.connectionId, record.id);
    if (plan?.value.done || plan?.value.closed) return;
    const change: LedgerChange = plan
      ? { op: 'mergePlan', importId: record.id, patch: { closed: true }, tag: plan.tag }
      : { op: 'createPlan', plan: { ...newPlanRecord(record.id, deps.clock.now()), closed: true } };
    if ((await deps.ledger.commit(record.connectionId, [change])).committed) return;
  }
}
