import type { Page, PageRequest } from '../../shared/kernel/page.ts';

/** One page of sorted items. The cursor is the index of the next item. */
export function pageOf<T>(items: readonly T[], request: PageRequest): Page<T> {
  const from = Number(request.cursor ?? 0);
  const to = from + request.limit;
  return { items: items.slice(from, to), ...(to < items.length && { cursor: String(to) }) };
}
