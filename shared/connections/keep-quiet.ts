import { isOutOfDate } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';

/**
 * Notes that a connection is not to be asked about anything until then, because asking prolongs what it waits for. A
 * later instant that is noted already stays; once a test has passed, what was asked before it calls for no quiet.
 */
export async function keepQuiet(
  needs: { connections: ConnectionStore },
  customerId: string,
  connectionId: string,
  quietUntil: Date,
  askedAt: Date,
): Promise<void> {
  for (;;) {
    const found = await needs.connections.get(customerId, connectionId);
    if (!found || isOutOfDate(found.value, askedAt)) return;
    if (found.value.quietUntil && found.value.quietUntil >= quietUntil) return;
    if (await needs.connections.update({ ...found.value, quietUntil }, found.tag)) return;
  }
}
