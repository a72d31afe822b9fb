/**
 * One page of a list. `cursor` is opaque, and absent on the last page.
 *
 * A page may have fewer items than the limit, or none, and still have a cursor: the work for one page is bounded, also
 * if a filter skips nearly everything. Only a page without a cursor is the last one.
 */
export interface Page<T> {
  items: T[];
  cursor?: string;
}

export interface PageRequest {
  limit: number;
  cursor?: string;
}
