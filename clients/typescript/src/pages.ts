export interface Page<Item> {
  items: Item[];
  nextCursor?: string;
}

/** Reads a list page by page, as far as the caller iterates. */
export async function* pages<Item>(
  getPage: (cursor: { cursor?: string }) => Promise<Page<Item>>,
): AsyncGenerator<Item, void, undefined> {
  let cursor: string | undefined;
  do {
    const page = await getPage(cursor === undefined ? {} : { cursor });
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}
