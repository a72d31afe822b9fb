import type { CauseCode } from '../../causes/causes.ts';
import type { SettledState } from './row.ts';

/** A mailbox whose row has reached its final state. */
export interface SettledMailbox {
  line: number;
  address: string;
  state: SettledState;
  cause?: CauseCode;
}
