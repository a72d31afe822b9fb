import type { CustomerActor } from '../kernel/actor.ts';
import { DomainError } from '../kernel/errors.ts';
import { notFound } from '../kernel/ids.ts';
import type { Import } from './import.ts';
import type { ImportStore } from './import-store.ts';

/**
 * Resolves to one of the customer's imports. An import of another customer gets the same answer as an absent one.
 *
 * @throws DomainError `not_found`
 */
export async function requireImport(
  deps: { imports: ImportStore },
  actor: CustomerActor,
  importId: string,
): Promise<Import> {
  const found = await deps.imports.get(actor.customerId, importId);
  if (!found) throw notFound('imp', { importId });
  return found.value;
}

/**
 * Refuses to read the rows of an import that are deleted, or being deleted.
 *
 * @throws DomainError `gone`
 */
export function requireRows({ rowsRemovedAt }: Import): void {
  if (!rowsRemovedAt) return;
  const day = rowsRemovedAt.toISOString().slice(0, 10);
  throw new DomainError(
    'gone',
    `The rows of this import have been deleted on ${day}, because the time for which they are kept is over. The import still has its counts.`,
  );
}

/**
 * Refuses a pause, resume or cancel that changed nothing, because the import was in the wrong state.
 *
 * @throws DomainError `wrong_state`
 */
export function requireChanged(record: Import, verb: string, changed: Import | undefined): Import {
  if (!changed) throw new DomainError('wrong_state', `You cannot ${verb} an import that is ${record.status}.`);
  return changed;
}
