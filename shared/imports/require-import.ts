import type { CustomerActor } from '../kernel/actor.ts';
import { DomainError } from '../kernel/errors.ts';
import type { Import } from './import.ts';
import type { ImportStore } from './import-store.ts';

/**
 * Finds one of the customer's imports, or refuses; absent and somebody else's get the same answer.
 *
 * @throws DomainError `not_found`
 */
export async function requireImport(
  deps: { imports: ImportStore },
  actor: CustomerActor,
  importId: string,
): Promise<Import> {
  const found = await deps.imports.get(actor.customerId, importId);
  if (!found) throw new DomainError('not_found', 'There is no such import.', { context: { importId } });
  return found.value;
}
