export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * Where structured lines go: one JSON object a line, with `event` first. Never hand it a mailbox address at `info` or
 * above, nor anything secret.
 */
export type Log = (level: LogLevel, event: string, fields?: Record<string, unknown>) => void;
