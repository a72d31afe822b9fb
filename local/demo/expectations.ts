type Verdict = 'passed' | 'failed' | 'inconclusive';

/** What Muster must report for one mailbox of a simulated tenant. */
export interface Expected {
  address: string;
  verdicts: { 'graph.readWrite': Verdict; 'graph.send': Verdict };
  /** The cause that Muster must name if a probe does not pass. */
  cause?: string;
  /** The problem never ends, and Microsoft's answers do not say so. The mailbox waits until Muster gives up. */
  untilGivenUp?: true;
}
