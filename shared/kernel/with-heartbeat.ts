/**
 * Does the work, and says every `everyMs` that it is being done, so that nobody else begins while this process lives. A
 * beat that fails does not stop the work. None is under way any more when this settles.
 */
export async function withHeartbeat(
  everyMs: number,
  beat: () => Promise<unknown>,
  work: () => Promise<void>,
): Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    last = last.then(beat).catch(() => undefined);
  }, everyMs);
  try {
    await work();
  } finally {
    clearInterval(timer);
    await last;
  }
}
