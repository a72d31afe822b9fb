/** Why the stack cannot start: one sentence for whoever started it, which also says what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
