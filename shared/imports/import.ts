import type { ConnectionFinding, Probe } from '../causes/verdict.ts';
import type { MailboxAction } from '../mailboxes/mailbox-action.ts';
import type { Flow } from './dispatching/flow.ts';
import type { ImportWait } from './import-wait.ts';
import type { Counts } from './ledger/counts.ts';
import type { Selection } from './selection.ts';
import type { Columns } from './upload/parsed-row.ts';

export const importStatuses = [
  'accepted',
  'planning',
  'running',
  'paused',
  'completed',
  'cancelling',
  'cancelled',
  'failed',
] as const;
type ImportStatus = (typeof importStatuses)[number];

/** Who starts actions: a person or a program of the customer, or the timer that checks mailboxes again. */
export const actionStarters = ['customer', 'schedule'] as const;
export type ActionStarter = (typeof actionStarters)[number];

/** Why an import paused or failed: a code and a sentence, and how to fix it. */
export interface ImportFinding {
  code: string;
  detail: string;
  fix?: string;
  link?: string;
  microsoftCode?: string;
  requestId?: string;
  /** Many mailboxes in a row were refused in the same way. Microsoft did not say that the whole tenant is refused. */
  isRepeatedRefusal?: true;
  seenAt: Date;
}

/** What webhooks are told about a pause. */
export interface PauseToAnnounce {
  pausedAt: Date;
  /** Absent if the customer has paused the import. */
  finding?: ImportFinding;
}

/** A range of lines whose check messages were sent, and that may still have unsettled rows. */
export interface SentBatch {
  /** First line. */
  from: number;
  /** One past the last line. */
  to: number;
  sentAt: Date;
  /** When the first of it was sent, if batches were put together. */
  firstSentAt?: Date;
  /** Rows that had waited, so other batches may have lines in between. */
  isReturned?: true;
  /** When the queue had handed out everything that was sent before this batch, and the batch itself. */
  handedOutAt?: Date;
}

/** The right of one process to send for an import and to end it. See `import-lease.ts`. */
interface ImportLease {
  holder: string;
  until: Date;
}

/** How far the explanations of an import's denials have got. */
export type ExplainCheckpoint =
  /** Looks for the probes that any mailbox of the connection passes. `cursor` is of the connection's mailboxes. */
  | { step: 'findPassed'; passed: Probe[]; cursor?: string }
  /** Explains the denials again. `cursor` is of the import's failed mailboxes. */
  | { step: 'explain'; passed: Probe[]; cursor?: string };

/** How far the work at an import's end has got. The next holder of the lease continues here. */
export type EndCheckpoint =
  /** Planning is closed, and rows below this line are settled. */
  { step: 'cancel'; line: number } | ExplainCheckpoint;

/** One upload and how far it has got. Until it ends, its counts are not here: they are in its plan and its tallies. */
export interface Import {
  id: string;
  customerId: string;
  connectionId: string;
  /** Its rows are mailboxes that the connection has, and this is done with them. Absent for an import of new ones. */
  action?: MailboxAction;
  /** An action that nobody has started: the mailboxes were due to be checked again. */
  isReverification?: true;
  /** The one mailbox of an action without an upload. With a tag, nothing is done if the mailbox has changed since. */
  target?: { address: string; tag?: string };
  status: ImportStatus;
  /** Raised by pause, resume and cancel. Messages of an older epoch are dropped. */
  epoch: number;
  /** The next line to send. Never decreases. Moves before the rows below it are sent. */
  cursor: number;
  /** Accepted rows below the cursor. */
  dispatched: number;
  batches: readonly SentBatch[];
  /** Lines above the cursor that were already sent as scouts. They are counted in `dispatched`. */
  scoutedLines?: readonly number[];
  lease?: ImportLease;
  /** What dispatchers have learnt about the flow of checks. */
  flow?: Flow;
  /** What the dispatcher waits for. */
  waitingFor?: ImportWait;
  /** When the delayed `dispatch-checks` message that wakes the import up is due. */
  wakeUpAt?: Date;
  /** Its end state once every row is settled. `failed` when planning failed. */
  endsAs?: 'cancelled' | 'failed';
  /** Absent until the work at its end begins. */
  ending?: EndCheckpoint;
  /** The end state is written, but not announced yet. */
  eventPending: boolean;
  finding?: ImportFinding;
  /** A pause that no webhook knows yet. Written together with the pause. */
  pauseToAnnounce?: PauseToAnnounce;
  /** Someone resumed it in spite of repeated refusals. From then on each mailbox gets its own verdict. */
  ignoresRepeatedRefusals?: boolean;
  /** The line of the mailbox that is asked first after a quiet period. */
  canary?: number;
  /** When the last canary got its verdict. Rows that were due by then need no canary. */
  canarySettledAt?: Date;
  /** When rows of it were last cancelled one by one, because their mailboxes were disconnected. */
  rowsCancelledAt?: Date;
  retryOf?: string;
  /** What it was selected from. Absent if its rows were sent. */
  selection?: Selection;
  /** The media type of the stored upload. */
  uploadType: string;
  /** How the upload was read. Absent for imports from before this was kept. */
  columns?: Columns;
  /** The rows of the upload, counted while it was stored. */
  uploadedRows?: number;
  /**
   * How many of its rows count against the customer's quota: all of them until the import has ended, and then those that
   * no check was spent on.
   */
  quotaRows: number;
  /** When the stored upload is removed. */
  uploadExpiresAt?: Date;
  /** The W3C `traceparent` of the request that has started it. Absent without telemetry. */
  traceparent?: string;
  /** Names the request that started it from a kept upload. */
  startedBy?: string;
  /** SHA-256 of the stored upload. Tells a repeated request from another one with the same ID. */
  uploadHash?: string;
  /** The final counts, written together with the end state. Nothing counts afterwards. */
  counts?: Counts;
  /** How many rows have a finding with each code. Written together with `counts`. */
  findingCounts?: Record<string, number>;
  createdAt: Date;
  startedAt?: Date;
  /** When the current pause began. */
  pausedAt?: Date;
  finishedAt?: Date;
  /** When its rows are removed. Known once it has ended. */
  rowsExpireAt?: Date;
  /** Its rows are removed, or being removed. Its counts stay. */
  rowsRemovedAt?: Date;
}

export function isEnded(status: ImportStatus): boolean {
  return status === 'completed' || status === 'cancelled' || status === 'failed';
}

export function starterOf({ isReverification }: Pick<Import, 'isReverification'>): ActionStarter {
  return isReverification ? 'schedule' : 'customer';
}

/** Turns a finding about the connection into the finding of an import. */
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
