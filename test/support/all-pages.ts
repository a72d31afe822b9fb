interface PagedList<T> {
  page(cursor?: string): Promise<{ items: T[]; cursor?: string }>;
}

/** Everything on a list, page after page. */
export async function allPagesOf<T>(list: PagedList<T>): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await list.page(cursor);
    all.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return all;
}
