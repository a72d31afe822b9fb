import type { Page, PageRequest } from '../../shared/kernel/page.ts';

/** One page of what is already in order; the cursor is the place to go on from. */
export function pageOf<T>(items: readonly T[], request: PageRequest): Page<T> {
  const from = Number(request.cursor ?? 0);
  const to = from + request.limit;
  return { items: items.slice(from, to), ...(to < items.length && { cursor: String(to) }) };
}
