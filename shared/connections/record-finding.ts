import type { ConnectionFinding } from '../causes/verdict.ts';
import { isOutOfDate } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';

/**
 * Marks a `ready` connection as `failing` with what was found; the first finding stays until a test passes. What was asked
 * before that test began is out of date and changes nothing.
 */
export async function recordConnectionFinding(
  needs: { connections: ConnectionStore },
  customerId: string,
  connectionId: string,
  finding: ConnectionFinding,
  askedAt: Date,
): Promise<void> {
  for (;;) {
    const found = await needs.connections.get(customerId, connectionId);
    if (found?.value.status !== 'ready' || isOutOfDate(found.value, askedAt)) return;
    if (await needs.connections.update({ ...found.value, status: 'failing', finding }, found.tag)) return;
  }
}
