import type { CheckMessage } from '../import-queues.ts';

/** Where a check's result belongs, and which state of the row it was asked for. */
export function rowLocationOf(message: CheckMessage) {
  const { connectionId, importId, line, address, rowTag, attempt } = message;
  return { connectionId, importId, line, address, rowTag, attempt };
}
