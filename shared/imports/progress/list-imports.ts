import pLimit from 'p-limit';
import type { Page, PageRequest } from '../../kernel/page.ts';
import type { Import } from '../import.ts';
import type { ImportStore, ListedKind } from '../import-store.ts';
import { type Progress, type ProgressDeps, readProgress } from './progress.ts';

/** Unfinished imports whose progress is read for one page. */
export const LIVE_MAX = 20;

const READS_AT_ONCE = 8;

/**
 * One page of a connection's imports, or of its actions, with their progress, newest first.
 *
 * An import that has ended costs nothing beyond its record. Of those that have not, at most `LIVE_MAX` are read for each
 * page. With more of them, the page is shorter than `limit` and has a cursor.
 */
export async function listImports(
  deps: ProgressDeps & { imports: Pick<ImportStore, 'list'> },
  customerId: string,
  connectionId: string,
  request: PageRequest,
  of: ListedKind = 'imports',
): Promise<Page<Progress>> {
  const list = (limit: number) => deps.imports.list(customerId, connectionId, { ...request, limit }, of);
  let page = await list(request.limit);
  // Read again instead of cut, because a cursor continues only where the store ended a page.
  if (page.items.filter(isLive).length > LIVE_MAX) page = await list(LIVE_MAX);
  const limit = pLimit(READS_AT_ONCE);
  const items = await Promise.all(page.items.map((record) => limit(() => readProgress(deps, record))));
  return { ...page, items };
}

function isLive({ counts }: Import): boolean {
  return counts === undefined;
}
