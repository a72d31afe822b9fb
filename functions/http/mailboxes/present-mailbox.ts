import pLimit from 'p-limit';
import type { z } from 'zod';
import { scopeOf } from '../../../shared/checks/scope-check/mailbox-scope.ts';
import { type Connection, hasOwnApp } from '../../../shared/connections/connection.ts';
import type { Import } from '../../../shared/imports/import.ts';
import type { ImportStore } from '../../../shared/imports/import-store.ts';
import { splitOpenRow } from '../../../shared/imports/ledger/row.ts';
import { explainMailboxWait } from '../../../shared/imports/progress/mailbox-wait.ts';
import type { ReverifyTimes } from '../../../shared/imports/reverifying/due-at.ts';
import {
  explainOverdue,
  type OverdueDeps,
  plannedCheckOf,
} from '../../../shared/imports/reverifying/explain-overdue.ts';
import { identifierOf } from '../../../shared/mailboxes/identity.ts';
import { type Mailbox, statusOf } from '../../../shared/mailboxes/mailbox.ts';
import { presentFindings } from '../present-findings.ts';
import type { mailboxSchema, mailboxWithHistorySchema } from './mailbox-schemas.ts';

export interface PresentMailboxDeps extends OverdueDeps {
  imports: Pick<ImportStore, 'get' | 'listOpen'>;
}

/** What the mailboxes of one answer are shown with. */
interface Circumstances {
  connection: Connection;
  /** The imports and actions that check them at the moment, by ID. */
  checking: ReadonlyMap<string, Import>;
  /** Why those that are due to be checked again are not, by address. */
  overdue: Awaited<ReturnType<typeof explainOverdue>>;
  reverifyTimes: ReverifyTimes;
  now: Date;
}

/** Imports and actions that are read for one page. Their mailboxes tell what these wait for, besides their own waits. */
const IMPORTS_READ_MAX = 5;

/** What `presentMailbox` needs for these mailboxes. */
export async function readCircumstances(
  deps: PresentMailboxDeps,
  connection: Connection,
  mailboxes: readonly Mailbox[],
): Promise<Circumstances> {
  const [checking, overdue] = await Promise.all([
    readChecking(deps, connection.customerId, mailboxes),
    explainOverdue(deps, connection, mailboxes),
  ]);
  return { connection, checking, overdue, reverifyTimes: deps.reverifyTimes, now: deps.clock.now() };
}

async function readChecking(
  { imports }: PresentMailboxDeps,
  customerId: string,
  mailboxes: readonly Mailbox[],
): Promise<ReadonlyMap<string, Import>> {
  const ids = new Set(mailboxes.flatMap(({ openRow }) => splitOpenRow(openRow)?.importId ?? []));
  const limit = pLimit(IMPORTS_READ_MAX);
  const some = [...ids].slice(0, IMPORTS_READ_MAX);
  const found = await Promise.all(some.map((id) => limit(() => imports.get(customerId, id))));
  return new Map(found.flatMap((one) => (one ? [[one.value.id, one.value]] : [])));
}

/** A mailbox as the API shows it in a list. */
export function presentMailbox(
  mailbox: Mailbox,
  { connection, checking, overdue, reverifyTimes, now }: Circumstances,
): z.infer<typeof mailboxSchema> {
  const { objectId, primaryAddress, signInName } = mailbox.identity ?? {};
  const ofCheck = explainMailboxWait(mailbox, checking.get(splitOpenRow(mailbox.openRow)?.importId ?? ''), now);
  const wait = ofCheck ?? overdue.get(mailbox.address);
  const nextCheckAt = mailbox.nextCheckAt ?? plannedCheckOf(connection, mailbox, reverifyTimes);
  return {
    address: mailbox.address,
    ...(mailbox.displayName !== undefined && { displayName: mailbox.displayName }),
    ...(mailbox.dailyLimit !== undefined && { dailyLimit: mailbox.dailyLimit }),
    ...(mailbox.reference !== undefined && { reference: mailbox.reference }),
    kind: mailbox.kind,
    identifiedBy: identifierOf(mailbox.identity ?? {}),
    ...(objectId !== undefined && { objectId }),
    ...(primaryAddress !== undefined && { primaryAddress }),
    ...(signInName !== undefined && { signInName }),
    ...(mailbox.replacedAt && { replacedAt: mailbox.replacedAt.toISOString() }),
    status: statusOf(mailbox),
    checks: presentFindings(mailbox.checks, !hasOwnApp(connection)),
    scope: scopeOf(mailbox, connection),
    nextCheckAt: nextCheckAt?.toISOString() ?? null,
    waitingFor: wait ? { ...wait, until: wait.until?.toISOString() ?? null } : null,
    importId: mailbox.listedIn ?? mailbox.importId,
    ...(mailbox.listedIn !== undefined && { actionId: mailbox.importId }),
    createdAt: mailbox.createdAt.toISOString(),
  };
}

/** One mailbox as the API shows it. Every answer about one mailbox has this form, so that they have the same tags. */
export async function presentOneMailbox(
  deps: PresentMailboxDeps,
  connection: Connection,
  mailbox: Mailbox,
): Promise<z.infer<typeof mailboxWithHistorySchema>> {
  const shown = presentMailbox(mailbox, await readCircumstances(deps, connection, [mailbox]));
  const history = (mailbox.history ?? []).map(({ changedAt, verdict, cause }) => ({
    changedAt: changedAt.toISOString(),
    verdict,
    ...(cause && { cause }),
  }));
  return { ...shown, history };
}
