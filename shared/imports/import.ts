import type { ConnectionFinding } from '../causes/verdict.ts';

export type ImportStatus =
  | 'accepted'
  | 'planning'
  | 'running'
  | 'paused'
  | 'completed'
  | 'cancelling'
  | 'cancelled'
  | 'failed';

/** Why an import stands or failed: a code and a sentence, with what mends it. */
export interface ImportFinding {
  code: string;
  detail: string;
  fix?: string;
  link?: string;
  microsoftCode?: string;
  requestId?: string;
  /** Mailbox after mailbox was refused in the same way; Microsoft did not say that it concerns them all. */
  alike?: true;
  seenAt: Date;
}

/** A range of lines that was put on the queue and may still have unsettled rows. */
export interface SentBatch {
  /** First line. */
  from: number;
  /** One past the last line. */
  to: number;
  sentAt: Date;
  /** When its pending rows are sent again. */
  dueAt: Date;
  /** How often that has been done. */
  resent: number;
}

/** One dispatcher's turn. `to` is how far it may have sent: whoever takes over sends those lines with `again`. */
export interface DispatchLease {
  holder: string;
  until: Date;
  to: number;
}

/** One upload and its way through. Counts are not here: they lie in its plan and its tallies. */
export interface Import {
  id: string;
  customerId: string;
  connectionId: string;
  status: ImportStatus;
  /** Raised by pause, resume and cancel: messages of an older epoch are dropped. */
  epoch: number;
  /** The next line to put on the queue; never goes back. */
  cursor: number;
  /** Accepted rows below the cursor. */
  dispatched: number;
  batches: SentBatch[];
  lease?: DispatchLease;
  /** When a delayed `dispatch-checks` that serves as an alarm clock is due. */
  wakeUpAt?: Date;
  /** What it ends as once every row is settled: `cancelling` comes from a cancel or from a plan that failed. */
  endsAs?: 'cancelled' | 'failed';
  /** Its end is written but not yet announced. */
  eventPending: boolean;
  finding?: ImportFinding;
  /** Somebody resumed it although mailbox after mailbox was refused: from then on each gets a verdict of its own. */
  ignoresRepeatedRefusals?: boolean;
  /** The line of the one mailbox that is asked first, after a quiet time, whether grants have arrived. */
  canary?: number;
  /** Rows that waited for grants until then, or less long, need no canary any more. */
  canarySettledAt?: Date;
  retryOf?: string;
  /** The media type of the upload as it is stored. */
  uploadType: string;
  createdAt: Date;
  startedAt?: Date;
  finishedAt?: Date;
}

export function isEnded(status: ImportStatus): boolean {
  return status === 'completed' || status === 'cancelled' || status === 'failed';
}

/** The import's own words for a finding about its connection. */
export function fromConnectionFinding(finding: ConnectionFinding, fix: string, link: string): ImportFinding {
  return {
    code: finding.cause,
    detail: finding.detail,
    fix,
    link,
    seenAt: finding.seenAt,
    ...(finding.microsoftCode !== undefined && { microsoftCode: finding.microsoftCode }),
    ...(finding.requestId !== undefined && { requestId: finding.requestId }),
  };
}
