/** One page of a list. `cursor` is absent on the last page; it is opaque to whoever receives it. */
export interface Page<T> {
  items: T[];
  cursor?: string;
}

export interface PageRequest {
  limit: number;
  cursor?: string;
}
