/** What the product tells about one reason for which a check did not pass. */
export interface Cause {
  /** What is the matter, for somebody who has never seen Microsoft's own wording. */
  sentence: string;
  /** What to do about it: the page, the switch or the cmdlet, by the names that the portals use. */
  fix: string;
  link: string;
  /** Who can mend it: the customer's Microsoft 365 admin, whoever keeps the mailbox, ourselves, or time alone. */
  mends: 'admin' | 'mailbox' | 'us' | 'time';
  /** Whether it is about one mailbox, or about everything that goes through the connection. */
  concerns: 'mailbox' | 'connection';
  /** Whether the same question can be answered otherwise later without anybody changing anything. */
  waiting: boolean;
  /** What a probe with this cause ends as, once nobody waits for it any longer. */
  verdict: 'failed' | 'inconclusive';
}
