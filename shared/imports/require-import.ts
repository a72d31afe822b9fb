import type { CustomerActor } from '../kernel/actor.ts';
import { DomainError } from '../kernel/errors.ts';
import { notFound } from '../kernel/ids.ts';
import type { MailboxAction } from '../mailboxes/mailbox-action.ts';
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

/** An import record whose rows are mailboxes that the connection has. */
export type ActionRecord = Import & { action: MailboxAction };

/**
 * Resolves to one of the customer's actions on mailboxes.
 *
 * @throws DomainError `not_found`
 */
export async function requireAction(
  deps: { imports: ImportStore },
  actor: CustomerActor,
  actionId: string,
): Promise<ActionRecord> {
  const found = (await deps.imports.get(actor.customerId, actionId))?.value;
  if (!found?.action) throw notFound('act', { actionId });
  return { ...found, action: found.action };
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
    `The rows have been deleted on ${day}, because the time for which they are kept is over. The counts are still there.`,
  );
}

/**
 * Refuses a pause, resume or cancel that changed nothing, because the import was in the wrong state.
 *
 * @throws DomainError `wrong_state`
 */
export function requireChanged(
  record: Import,
  verb: string,
  changed: Import | undefined,
  what: 'import' | 'action' = 'import',
): Import {
  if (!changed) throw new DomainError('wrong_state', `You cannot ${verb} an ${what} that is ${record.status}.`);
  return changed;
}
