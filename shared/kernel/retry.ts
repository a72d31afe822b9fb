/**
 * What a queue handler returns to have a message delivered again: the message, and how long it stays hidden until then.
 */
export interface Retry<Message> {
  message: Message;
  delayMs: number;
}
