/** Why the host cannot run the app or its configuration. The message is printed without a stack trace. */
export class HostError extends Error {
  override name = 'HostError';
}
