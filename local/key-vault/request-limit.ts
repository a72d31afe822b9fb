/**
 * Creates a check that allows `max` requests in each window of ten seconds. Refused requests count too: of Microsoft's
 * two statements on this, it is the stricter one.
 */
export function createRequestLimit(max: number): () => boolean {
  let window = 0;
  let count = 0;
  return () => {
    const now = Math.floor(Date.now() / 10_000);
    if (now !== window) {
      window = now;
      count = 0;
    }
    count += 1;
    return count <= max;
  };
}
