import type { CheckMessage } from '../messages.ts';

/** Which row a check's result belongs to, and the tag and attempt it was asked for. */
export function rowLocationOf(message: CheckMessage) {
  const { connectionId, importId, line, address, rowTag, attempt } = message;
  return { connectionId, importId, line, address, rowTag, attempt };
}
