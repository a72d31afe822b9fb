import type { Connection } from '../../connections/connection.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Slots } from '../../plans/slots.ts';
import type { ImportStore } from '../import-store.ts';
import type { MailboxWait } from '../progress/mailbox-wait.ts';
import { dueAt, isDue, isReverified, type ReverifyTimes } from './due-at.ts';

export interface OverdueDeps {
  imports: Pick<ImportStore, 'listOpen'>;
  slots: Pick<Slots, 'get'>;
  reverifyTimes: ReverifyTimes;
  clock: Clock;
}

type Waits = ReadonlyMap<string, MailboxWait>;

const noFreeSlot =
  'This mailbox has failed, so it takes a slot while it is checked again, and your plan has none free. Disconnect mailboxes you no longer need, or ask for more slots.';
const fewFreeSlots =
  'This mailbox has failed, so it takes a slot while it is checked again. Few slots are free, and the failed mailboxes take turns. Disconnect mailboxes you no longer need, or ask for more slots.';
const importsFirst =
  'It is time to check this mailbox again, but imports of its connection go first. It is checked as soon as none of them is under way.';

/** When a mailbox is checked again by itself, at the earliest. `undefined` if it is not. */
export function plannedCheckOf(connection: Connection, mailbox: Mailbox, times: ReverifyTimes): Date | undefined {
  const isPlanned = connection.status === 'ready' && isReverified(mailbox);
  return isPlanned ? dueAt(connection.id, mailbox, times) : undefined;
}

/**
 * Why mailboxes of a connection that are due to be checked again are not, by address. Costs nothing if none is due, and two
 * requests at most, however many mailboxes there are.
 */
export async function explainOverdue(
  { imports, slots, reverifyTimes, clock }: OverdueDeps,
  connection: Connection,
  mailboxes: readonly Mailbox[],
): Promise<Waits> {
  const waits = new Map<string, MailboxWait>();
  if (connection.status !== 'ready') return waits;
  const now = clock.now();
  const due = mailboxes.filter((one) => isReverified(one) && isDue(connection.id, one, reverifyTimes, now));
  const needsSlot = (mailbox: Mailbox) => mailbox.slotClaimedBy === undefined;
  const count = due.some(needsSlot) ? await slots.get(connection.customerId) : undefined;
  const hasFreeSlot = count !== undefined && count.used < count.limit;
  // The next step through the mailboxes may still be ahead.
  const late = now.getTime() - reverifyTimes.reverifyFailedAfterMs;
  const isLate = (mailbox: Mailbox) => dueAt(connection.id, mailbox, reverifyTimes).getTime() < late;
  const open = due.some(isLate) ? await imports.listOpen(connection.customerId) : [];
  const isImporting = open.some(
    ({ connectionId, importId }) => connectionId === connection.id && importId.startsWith('imp_'),
  );
  for (const mailbox of due) {
    const wait = waitOf(needsSlot(mailbox), hasFreeSlot, isLate(mailbox), isImporting);
    if (wait) waits.set(mailbox.address, wait);
  }
  return waits;
}

function waitOf(
  needsSlot: boolean,
  hasFreeSlot: boolean,
  isLate: boolean,
  isImporting: boolean,
): MailboxWait | undefined {
  if (needsSlot && !hasFreeSlot) return { reason: 'slot_needed', message: noFreeSlot };
  if (!isLate) return undefined;
  if (isImporting) return { reason: 'imports_first', message: importsFirst };
  return needsSlot ? { reason: 'slot_needed', message: fewFreeSlots } : undefined;
}
