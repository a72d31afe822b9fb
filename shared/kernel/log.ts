export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * Writes one JSON object per line, with `event` first. Never pass a secret. Pass mailbox addresses at `debug` only.
 */
export type Log = (level: LogLevel, event: string, fields?: Record<string, unknown>) => void;
