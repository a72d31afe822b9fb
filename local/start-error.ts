/** Why the stack cannot start, in words for the user that also say what to do. Printed without a stack trace. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
