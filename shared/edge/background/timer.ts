import type { InvocationContext, Timer, TimerHandler } from '@azure/functions';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { signal } from '../../kernel/signals.ts';
import { createLog } from '../telemetry/log.ts';
import { traced } from '../telemetry/tracing.ts';

export interface TimerDeps {
  clock: Clock;
  heartbeats: {
    /** Records that a timer has completed a run, and when its schedule lets it run next. */
    beat(heartbeat: { timer: string; ranAt: Date; dueAt?: Date }): Promise<void>;
  };
}

interface TimedWork {
  /** The name of its heartbeat. */
  name: string;
  handle(call: { log: Log; isPastDue: boolean; context: InvocationContext }): Promise<void>;
}

/**
 * Wraps a timer: logs the result and records a heartbeat after each completed run, so that a silent scheduler is
 * noticed. Errors escape to the host, which counts them. The timer fires again at its next scheduled time.
 */
export function createTimer(deps: TimerDeps, timed: TimedWork): TimerHandler {
  return (timer: Timer, context: InvocationContext): Promise<void> => {
    const parent = context.traceContext?.traceParent;
    return traced({ name: context.functionName, kind: 'internal', parent }, () => run(timer, context));
  };

  async function run(timer: Timer, context: InvocationContext): Promise<void> {
    const log = createLog(context, { requestId: context.invocationId, timer: timed.name });
    const startedAt = performance.now();
    try {
      await timed.handle({ log, isPastDue: timer.isPastDue === true, context });
      const dueAt = dueAtOf(timer);
      await deps.heartbeats.beat({ timer: timed.name, ranAt: deps.clock.now(), ...(dueAt && { dueAt }) });
    } catch (error) {
      signal(log, 'timer_failed', {}, { error });
      throw error instanceof Error ? error : new Error(String(error));
    }
    signal(log, 'timer_ran', { ms: Math.round(performance.now() - startedAt), isPastDue: timer.isPastDue });
  }
}

/** The host tells the next occurrence, unless the schedule runs more often than each minute. */
function dueAtOf({ scheduleStatus }: Timer): Date | undefined {
  const next = new Date(scheduleStatus?.next ?? Number.NaN);
  return Number.isNaN(next.getTime()) ? undefined : next;
}
