const PAGE_SIZE = 2;

/** One page of what a map keeps, ordered by key. Small pages, so that every list has several. */
export function pageOfMap<T>(kept: ReadonlyMap<string, T>, cursor = ''): { items: T[]; cursor?: string } {
  const all = [...kept].filter(([key]) => key > cursor).sort(([a], [b]) => (a < b ? -1 : 1));
  const last = all[PAGE_SIZE - 1]?.[0];
  return {
    items: all.slice(0, PAGE_SIZE).map(([, value]) => value),
    ...(all.length > PAGE_SIZE && last !== undefined && { cursor: last }),
  };
}
