/** What customers read about one reason why a check did not pass. */
export interface Cause {
  /** What is wrong, for an admin who does not know Microsoft's error codes. Claims only what the check has seen. */
  sentence: string;
  /** What to do: the page, the setting or the cmdlet, under the names that Microsoft's portals use. */
  fix: string;
  /** Microsoft's documentation, or our own page where only we can fix it. */
  link: string;
  whoCanFix: 'admin' | 'mailboxOwner' | 'us' | 'time';
  /** Whether the cause affects one mailbox, or everything that uses the connection. */
  concerns: 'mailbox' | 'connection';
  /** Whether a later check can give another answer although nobody changes anything. */
  waiting: boolean;
  /** The verdict of a probe with this cause, once it is no longer retried. */
  verdict: 'failed' | 'inconclusive';
}
