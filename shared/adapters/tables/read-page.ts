import type { TableClient, TableEntityResult } from '@azure/data-tables';
import type { Page, PageRequest } from '../../kernel/page.ts';
import { storageAway } from './table-errors.ts';

/**
 * Reads one page in the order of the keys, filled up: where a filter passes over many rows, storage answers with short
 * and even empty pages that go on. The cursor is storage's continuation token.
 */
export async function readPage(
  table: TableClient,
  filter: string,
  request: PageRequest,
): Promise<Page<TableEntityResult<Record<string, unknown>>>> {
  const items: TableEntityResult<Record<string, unknown>>[] = [];
  let cursor = request.cursor;
  try {
    do {
      const pages = table.listEntities<Record<string, unknown>>({ queryOptions: { filter } }).byPage({
        maxPageSize: request.limit - items.length,
        ...(cursor !== undefined && { continuationToken: cursor }),
      });
      const { value: page, done } = await pages.next();
      if (done) return { items };
      items.push(...page);
      cursor = page.continuationToken;
    } while (cursor !== undefined && items.length < request.limit);
  } catch (error) {
    throw storageAway(error);
  }
  return cursor === undefined ? { items } : { items, cursor };
}
