import type { TableClient, TableEntityResult } from '@azure/data-tables';
import type { Page, PageRequest } from '../../kernel/page.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import { translateStorageErrors, translateStreamErrors, undefinedOn } from '../storage-errors.ts';
import { type Columns, fromProperties } from './columns.ts';

export type Entity = TableEntityResult<Record<string, unknown>>;

/** The largest page that Table Storage returns. */
export const PAGE_MAX = 1000;

/** Storage requests for one page of a list, at most. */
export const PAGE_REQUESTS_MAX = 4;

export function toTagged<T extends object>(columns: Columns<T>, entity: Entity): Tagged<T> {
  return { value: fromProperties(columns, entity), tag: entity.etag };
}

/**
 * Reads one record. Resolves to `undefined` if it is absent.
 *
 * @param absentOn the HTTP statuses that mean absent. Stores that look up unescaped IDs of a caller add 400: storage
 * refuses a key that no record can have.
 */
export async function readEntity<T extends object>(
  table: TableClient,
  columns: Columns<T>,
  partitionKey: string,
  rowKey: string,
  absentOn: readonly number[] = [404],
): Promise<Tagged<T> | undefined> {
  const entity = await undefinedOn(absentOn, table.getEntity<Record<string, unknown>>(partitionKey, rowKey));
  return entity && toTagged(columns, entity);
}

/** Reads everything that matches, page by page, in the order of the keys. */
export function eachEntity(table: TableClient, filter: string, select?: string[]): AsyncGenerator<Entity> {
  const queryOptions = { filter, ...(select && { select }) };
  return translateStreamErrors(table.listEntities<Record<string, unknown>>({ queryOptions }));
}

/**
 * Reads up to `limit` entities in the order of the keys. Fewer than `limit` means that there are no more: if a filter
 * skips many rows, storage returns short and even empty pages with a continuation token, and this reads on.
 *
 * The cursor is the continuation token of storage.
 *
 * @param request `requestsMax` limits the storage requests. With it, a page may be short, or even empty, and still have a
 * cursor
 */
export async function readEntities(
  table: TableClient,
  filter: string,
  request: PageRequest & { select?: string[]; requestsMax?: number },
): Promise<Page<Entity>> {
  const { limit, select, requestsMax = Number.POSITIVE_INFINITY } = request;
  const queryOptions = { filter, ...(select && { select }) };
  const items: Entity[] = [];
  let cursor = request.cursor;
  let requests = 0;
  do {
    const pages = table.listEntities<Record<string, unknown>>({ queryOptions }).byPage({
      maxPageSize: Math.min(PAGE_MAX, limit - items.length),
      ...(cursor !== undefined && { continuationToken: cursor }),
    });
    const { value: page, done } = await translateStorageErrors(pages.next());
    if (done) return { items };
    items.push(...page);
    cursor = page.continuationToken;
  } while (cursor !== undefined && items.length < limit && ++requests < requestsMax);
  return cursor === undefined ? { items } : { items, cursor };
}

/**
 * Reads one page of records with at most `PAGE_REQUESTS_MAX` storage requests, however many rows the filter skips. A
 * page may be shorter than `limit`, or even empty, and still have a cursor.
 */
export async function readPage<T extends object>(
  table: TableClient,
  columns: Columns<T>,
  filter: string,
  request: PageRequest,
): Promise<Page<T>> {
  const page = await readEntities(table, filter, { ...request, requestsMax: PAGE_REQUESTS_MAX });
  return { ...page, items: page.items.map((entity) => fromProperties(columns, entity)) };
}
