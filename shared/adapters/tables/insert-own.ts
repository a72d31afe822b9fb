import type { TableClient, TableEntity } from '@azure/data-tables';
import type { Tagged } from '../../kernel/tagged.ts';
import { undefinedOn } from '../storage-errors.ts';

/**
 * Inserts a record under an ID that nobody else can have made. Resolves to the stored record.
 *
 * A row that exists already is our own: the SDK repeats an insert whose answer was lost, and a client repeats a request
 * with the same `Idempotency-Key`. The first row counts.
 *
 * @param read reads the row of `record`
 */
export async function insertOwn<T>(
  table: TableClient,
  entity: TableEntity,
  record: T,
  read: () => Promise<Tagged<T> | undefined>,
): Promise<T> {
  if (await undefinedOn([409], table.createEntity(entity))) return record;
  return (await read())?.value ?? record;
}
