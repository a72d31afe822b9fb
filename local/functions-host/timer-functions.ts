import type { Runnable } from './admin.ts';
import { type AppSettings, resolveSettings } from './app-settings.ts';
import type { RegisteredFunction } from './core.ts';
import { HostError } from './host-error.ts';
import { type Invoke, triggerOf } from './invocation.ts';
import { parseSchedule } from './schedule.ts';
import { startTimer, type Timer } from './timer.ts';

export interface TimerFunction extends Runnable {
  start(): Timer;
}

/** Reads the options of a timer trigger. Its schedule begins with `start`. */
export function prepareTimerFunction(fn: RegisteredFunction, settings: AppSettings, invoke: Invoke): TimerFunction {
  const { name } = fn.metadata;
  const { schedule, runOnStartup } = triggerOf(fn).options;
  if (typeof schedule !== 'string') throw new HostError(`${name}: the timer trigger has no schedule`);
  const next = parseSchedule(resolveSettings(schedule, settings, name), name);
  let timer: Timer | undefined;
  return {
    fn,
    run: async () => await timer?.fire(),
    start() {
      timer = startTimer({ next, runOnStartup: runOnStartup === true, run: (json) => invoke(fn, { data: { json } }) });
      return timer;
    },
  };
}
