import { causes } from '../causes/causes.ts';
import type { ConnectionFinding } from '../causes/verdict.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import { markConnectionFailing } from '../connections/mark-failing.ts';
import { fromConnectionFinding, type Import, type ImportFinding } from './import.ts';
import { changeImport, type ImportStore } from './import-store.ts';

/**
 * Stops an import where it stands, if it runs. Its rows stay pending; its messages are dropped as they come up. What was
 * found before it was last resumed does not pause it again.
 */
export async function pauseImport(
  needs: { imports: ImportStore },
  customerId: string,
  importId: string,
  found?: { finding: ImportFinding; epoch: number },
): Promise<Import | undefined> {
  return changeImport(needs.imports, customerId, importId, (current) => {
    if (current.status !== 'running' || (found && found.epoch < current.epoch)) return undefined;
    const { lease: _ended, hintAt: _unset, finding: _old, ...rest } = current;
    return { ...rest, status: 'paused', epoch: current.epoch + 1, ...(found && { finding: found.finding }) };
  });
}

/**
 * What would hit every mailbox is one finding on the connection, not a failure of each: the connection becomes `failing`
 * and the import pauses with that finding. Repeatable by as many workers as meet the refusal at once. In this order, so
 * that who sees the import paused can test the connection and resume: what was asked before comes too late to stop it again.
 */
export async function pauseForConnection(
  needs: { imports: ImportStore; connections: ConnectionStore },
  target: { customerId: string; connectionId: string; importId: string; epoch: number },
  finding: ConnectionFinding,
  askedAt: Date,
  how: { alike?: true } = {},
): Promise<void> {
  const cause = causes[finding.cause];
  await markConnectionFailing(needs, target.customerId, target.connectionId, finding, askedAt);
  await pauseImport(needs, target.customerId, target.importId, {
    finding: { ...fromConnectionFinding(finding, cause.fix, cause.link), ...how },
    epoch: target.epoch,
  });
}
