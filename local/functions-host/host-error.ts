/** The app or its configuration cannot be run, and the message alone says why: it is printed without a stack. */
export class HostError extends Error {
  override name = 'HostError';
}
