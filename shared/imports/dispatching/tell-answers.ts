import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { signal } from '../../kernel/signals.ts';
import type { Import } from '../import.ts';
import type { FlowSums } from './flow.ts';

/** Counts how a tenant answers the checks of an import, and tells it now and then. */
export interface AnswerCount {
  add(changes: Pick<FlowSums, 'accepted' | 'throttled' | 'unanswered'>): void;
  /** Tells what has been counted since the last time. */
  tell(): void;
}

const TELL_EVERY_MS = 60_000;

/** @param tenant as `tenantKeyOf` names it */
export function createAnswerCount(
  { clock, log }: { clock: Clock; log: Log },
  { id: importId, customerId, connectionId }: Import,
  tenant: string,
): AnswerCount {
  let counts = { accepted: 0, throttled: 0, unanswered: 0 };
  let toldAt = clock.now().getTime();

  function tell(): void {
    const { accepted, throttled, unanswered } = counts;
    toldAt = clock.now().getTime();
    if (accepted + throttled + unanswered === 0) return;
    signal(log, 'tenant_answered', { tenant, importId, customerId, connectionId, ...counts });
    counts = { accepted: 0, throttled: 0, unanswered: 0 };
  }

  return {
    add({ accepted, throttled, unanswered }) {
      counts.accepted += accepted;
      counts.throttled += throttled;
      counts.unanswered += unanswered;
      if (clock.now().getTime() - toldAt >= TELL_EVERY_MS) tell();
    },
    tell,
  };
}
