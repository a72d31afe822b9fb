import type { LogLevel } from './core-types.ts';

/** Prints one line: the level, who speaks (a function, or `host`), and the words with line breaks made visible. */
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

/** Lines below `least` are dropped; warnings and worse go to standard error. */
export function createHostLog(least: LogLevel): HostLog {
  return (level, source, message) => {
    if (order[level] < order[least]) return;
    const line = `${level} ${source}: ${message.replace(/\r?\n/g, '\\n')}\n`;
    (order[level] >= order.warning ? process.stderr : process.stdout).write(line);
  };
}

/** Reads `host.json`'s spelling (`Information`) as well as the worker's (`information`). */
export function parseLogLevel(text: string | undefined): LogLevel {
  const level = text?.toLowerCase() ?? '';
  return level in order ? (level as LogLevel) : 'information';
}

export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
