import type { Runnable } from './admin.ts';
import { type AppSettings, resolveSettings } from './app-settings.ts';
import type { RegisteredFunction } from './core.ts';
import { HostError } from './host-error.ts';
import type { SingletonOptions } from './host-json.ts';
import { type Invoke, triggerOf } from './invocation.ts';
import type { HostLog } from './log.ts';
import { parseSchedule } from './schedule.ts';
import { type Stoppable, whileLocked } from './singleton-lock.ts';
import { createLockBlob } from './singleton-lock-blob.ts';
import { startTimer, type Timer, timerPayload } from './timer.ts';

export interface TimerFunction extends Runnable {
  start(): Stoppable;
}

/**
 * Reads the options of a timer trigger. Its schedule begins with `start`. If the setting `AzureWebJobsStorage` names a
 * storage account, a lock there keeps the schedule on one of the hosts that share it.
 */
export function prepareTimerFunction(
  fn: RegisteredFunction,
  settings: AppSettings,
  invoke: Invoke,
  singleton: SingletonOptions,
  log: HostLog,
): TimerFunction {
  const { name } = fn.metadata;
  const { schedule, runOnStartup } = triggerOf(fn).options;
  if (typeof schedule !== 'string') throw new HostError(`${name}: the timer trigger has no schedule`);
  const next = parseSchedule(resolveSettings(schedule, settings, name), name);
  let timer: Timer | undefined;
  const run = (json: string) => invoke(fn, { data: { json } });
  const begin = () => {
    timer = startTimer({ next, runOnStartup: runOnStartup === true, run });
    return timer;
  };
  const blob = createLockBlob(settings, name);
  return {
    fn,
    // By hand it also runs on a host that does not hold the lock, as on the platform.
    run: async () => await (timer ? timer.fire() : run(timerPayload(undefined, next(new Date()), new Date()))),
    start: () =>
      blob
        ? whileLocked(blob, singleton, {
            start: begin,
            onError: (error) => log('warning', name, `the lock of the timer is unavailable: ${firstLine(error)}`),
          })
        : begin(),
  };
}

function firstLine(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
