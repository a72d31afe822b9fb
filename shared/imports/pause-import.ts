import { causes } from '../checks/causes.ts';
import type { ConnectionFinding } from '../checks/verdict.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import { recordConnectionFinding } from '../connections/record-finding.ts';
import { fromConnectionFinding, type Import, type ImportFinding } from './import.ts';
import { changeImport, type ImportStore } from './import-store.ts';

/** Stops an import where it stands, if it runs. Its rows stay pending; its messages are dropped as they come up. */
export async function pauseImport(
  needs: { imports: ImportStore },
  customerId: string,
  importId: string,
  finding?: ImportFinding,
): Promise<Import | undefined> {
  return changeImport(needs.imports, customerId, importId, (current) => {
    if (current.status !== 'running') return undefined;
    const { lease: _ended, hintAt: _unset, finding: _old, ...rest } = current;
    return { ...rest, status: 'paused', epoch: current.epoch + 1, ...(finding && { finding }) };
  });
}

/**
 * What would hit every mailbox is one finding on the connection, not a failure of each: the connection becomes `failing`
 * and the import pauses with that finding. Repeatable by as many workers as meet the refusal at once.
 */
export async function pauseForConnection(
  needs: { imports: ImportStore; connections: ConnectionStore },
  target: { customerId: string; connectionId: string; importId: string },
  finding: ConnectionFinding,
  how: { alike?: true } = {},
): Promise<void> {
  const cause = causes[finding.cause];
  await pauseImport(needs, target.customerId, target.importId, {
    ...fromConnectionFinding(finding, cause.fix, cause.link),
    ...how,
  });
  await recordConnectionFinding(needs, target.customerId, target.connectionId, finding);
}
