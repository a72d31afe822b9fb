/** A record with the tag that it had when it was read. A conditional write succeeds only while the tag is the same. */
export interface Tagged<T> {
  value: T;
  tag: string;
}
