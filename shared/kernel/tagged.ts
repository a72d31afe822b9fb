/** A record as it was read, with the tag that a conditional write of it must still find. */
export interface Tagged<T> {
  value: T;
  tag: string;
}
