/**
 * Creates a check that allows `max` requests in each window of ten seconds. Refused requests count too, which is the
 * stricter reading of Microsoft's documentation.
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
