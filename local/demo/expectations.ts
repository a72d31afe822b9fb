type Verdict = 'passed' | 'failed' | 'inconclusive';

/** What a mailbox of a made-up tenant really is, told beside the scenario for whoever compares. */
export interface Expected {
  address: string;
  verdicts: { 'graph.readWrite': Verdict; 'graph.send': Verdict };
  /** Why a probe did not pass. */
  cause?: string;
  /**
   * Time would not mend it either, and Microsoft's answer never says so: such a mailbox stays `waiting` until Muster
   * gives up asking.
   */
  untilGivenUp?: true;
}
