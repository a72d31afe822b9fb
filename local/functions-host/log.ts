import type { LogLevel } from './core-types.ts';

/** Prints one line: the level, the source (a function or `host`), and the message with escaped line breaks. */
export type HostLog = (level: LogLevel, source: string, message: string) => void;

const order: Record<LogLevel, number> = {
  trace: 0,
  debug: 1,
  information: 2,
  warning: 3,
  error: 4,
  critical: 5,
  none: 6,
};

/** Drops lines below `minimum`. Warnings and errors go to standard error. */
export function createHostLog(minimum: LogLevel): HostLog {
  return (level, source, message) => {
    if (order[level] < order[minimum]) return;
    const line = `${level} ${source}: ${message.replace(/\r?\n/g, '\\n')}\n`;
    (order[level] >= order.warning ? process.stderr : process.stdout).write(line);
  };
}

/** Accepts the spelling of `host.json` (`Information`) and of the worker (`information`). */
export function parseLogLevel(text: string | undefined): LogLevel {
  const level = text?.toLowerCase() ?? '';
  return level in order ? (level as LogLevel) : 'information';
}

export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
