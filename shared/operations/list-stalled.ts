import pLimit from 'p-limit';
import type { Page, PageRequest } from '../kernel/page.ts';
import { type OpenImportDeps, type OpenImportState, readOpenImport } from './open-imports.ts';

/** Imports in one page, because each costs up to three reads. */
export const STALLED_PAGE_MAX = 50;
const READS_AT_ONCE = 16;

/**
 * One page of the imports that make no progress, ordered by ID. Reads only those that had not moved for a while when the
 * timer last looked. A page may be short or empty, see `Page`.
 */
export async function listStalledImports(deps: OpenImportDeps, request: PageRequest): Promise<Page<OpenImportState>> {
  const [pointers, marks] = await Promise.all([deps.imports.listOpen(), deps.progressMarks.list()]);
  const before = deps.clock.now().getTime() - deps.importStalledAfterMs;
  const quiet = new Map(marks.filter(({ since }) => since.getTime() < before).map((mark) => [mark.importId, mark]));
  const { cursor = '' } = request;
  const candidates = pointers
    .filter(({ importId }) => quiet.has(importId) && importId > cursor)
    .toSorted((one, other) => (one.importId < other.importId ? -1 : 1));
  const some = candidates.slice(0, Math.min(request.limit, STALLED_PAGE_MAX));
  const limit = pLimit(READS_AT_ONCE);
  const read = await Promise.all(
    some.map((pointer) => limit(() => readOpenImport(deps, pointer, quiet.get(pointer.importId)))),
  );
  const items = read.flatMap((state) => (state?.isStalled ? [state] : []));
  const last = some.at(-1)?.importId;
  return last !== undefined && candidates.length > some.length ? { items, cursor: last } : { items };
}
