import { queues } from '../kernel/storage-names.ts';

export interface PoisonOwnerDeps {
  customers: { get(customerId: string): Promise<object | undefined> };
  connections: {
    get(customerId: string, connectionId: string): Promise<object | undefined>;
    /** Finds a connection that is being deleted. */
    getHidden(customerId: string, connectionId: string): Promise<object | undefined>;
  };
  imports: {
    get(customerId: string, importId: string): Promise<{ value: { connectionId: string } } | undefined>;
  };
}

/**
 * Whether what a poison message is about was deleted. Its work can never be done again, and a message about a mailbox has
 * an address in it. `false` for a message that does not tell.
 *
 * The message that deletes a connection has an owner until the connection is gone for good.
 */
export async function isOwnerGone(deps: PoisonOwnerDeps, queue: string, message: unknown): Promise<boolean> {
  const customerId = textOf(message, 'customerId');
  if (customerId === undefined) return false;
  if (!(await deps.customers.get(customerId))) return true;
  const importId = textOf(message, 'importId');
  const imported = importId === undefined ? undefined : await deps.imports.get(customerId, importId);
  if (importId !== undefined && !imported) return true;
  const connectionId = imported?.value.connectionId ?? textOf(message, 'connectionId');
  if (connectionId === undefined || (await deps.connections.get(customerId, connectionId))) return false;
  return queue !== queues.deleteConnection || !(await deps.connections.getHidden(customerId, connectionId));
}

/** A message that nobody can read may hold anything. */
export function textOf(message: unknown, field: string): string | undefined {
  const value = message !== null && typeof message === 'object' ? Reflect.get(message, field) : undefined;
  return typeof value === 'string' ? value : undefined;
}
