import type { Import } from '../imports/import.ts';
import type { ImportStore } from '../imports/import-store.ts';
import type { Ledger } from '../imports/ledger/ledger.ts';
import type { Row } from '../imports/ledger/row.ts';
import { createRepeatableIds } from '../kernel/ids.ts';
import { mailboxData } from './event-data.ts';
import type { EventQueues, PublishMessage } from './event-queues.ts';
import type { Outbox } from './outbox.ts';
import { type PublishDeps, publishEvent } from './publish-event.ts';

export interface PublishMailboxesDeps extends Omit<PublishDeps, 'eventQueues'> {
  imports: Pick<ImportStore, 'get'>;
  ledger: Pick<Ledger, 'findRows'>;
  outbox: Pick<Outbox, 'get' | 'update' | 'remove' | 'begin'>;
  eventQueues: EventQueues;
}

const types = { passed: 'mailbox.activated', failed: 'mailbox.failed' } as const;

/** Mailboxes in one event. */
const MAILBOXES_MAX = 100;
/** The names in one event, in characters, so that a delivery fits into a property of a table. */
const TEXT_MAX = 20_000;
const ROWS_READ = 500;
const SHIFT_MS = 120_000;

/**
 * Publishes the mailboxes of an import or check that has ended, in bundles, in the order of its lines. One event for each mailbox
 * would cost more than its check.
 *
 * The rows no longer change, so a repeated run makes the same bundles with the same IDs. The outbox says how far it has
 * got, and finds the rest after a crash.
 */
export async function publishMailboxes(deps: PublishMailboxesDeps, message: PublishMessage): Promise<void> {
  const { customerId, source, id } = message;
  const until = deps.clock.now().getTime() + SHIFT_MS;
  const record = (await deps.imports.get(customerId, id))?.value;
  for (;;) {
    const found = await deps.outbox.get({ customerId, source, id });
    if (!found) return;
    const { line = -1, connectionId = '' } = found.value;
    const rows = record ? await readRows(deps, connectionId, id, line) : [];
    if (!record || rows.length === 0) return deps.outbox.remove(found.value, found.tag);
    for (const bundle of bundlesOf(rows.filter((row) => isNews(record, row))))
      await publishBundle(deps, record, bundle);
    const next = { ...found.value, line: rows.at(-1)?.line ?? line, notedAt: deps.clock.now() };
    // Another process publishes the same.
    if (!(await deps.outbox.update(next, found.tag))) return;
    if (deps.clock.now().getTime() >= until) return deps.eventQueues.sendPublish(message);
  }
}

async function readRows(deps: PublishMailboxesDeps, connectionId: string, id: string, line: number): Promise<Row[]> {
  const query = { fromLine: line + 1, states: ['passed', 'failed'] as const, limit: ROWS_READ };
  return (await deps.ledger.findRows(connectionId, id, query)).map(({ value }) => value);
}

/** An import tells every mailbox. A check of mailboxes that the connection has tells those whose verdict has changed. */
function isNews({ action }: Import, { state, statusBefore, cause }: Row): boolean {
  if (action === undefined) return true;
  if (state === 'passed') return statusBefore !== 'active';
  // A defect of ours leaves a mailbox in use as it was.
  return statusBefore !== 'failed' && cause !== 'internal_error';
}

interface Bundle {
  type: (typeof types)[keyof typeof types];
  rows: Row[];
}

function bundlesOf(rows: readonly Row[]): Bundle[] {
  return (['passed', 'failed'] as const).flatMap((state) => {
    const bundles: Bundle[] = [];
    let length = 0;
    for (const row of rows.filter((one) => one.state === state)) {
      const last = bundles.at(-1);
      const size = row.address.length + (row.reference?.length ?? 0) + 80;
      if (last && last.rows.length < MAILBOXES_MAX && length + size <= TEXT_MAX) {
        last.rows.push(row);
        length += size;
      } else {
        bundles.push({ type: types[state], rows: [row] });
        length = size;
      }
    }
    return bundles;
  });
}

async function publishBundle(deps: PublishDeps, record: Import, { type, rows }: Bundle): Promise<void> {
  const happenedAt = record.finishedAt ?? record.createdAt;
  const newId = createRepeatableIds(`${record.id}\n${type}\n${rows[0]?.line}`, happenedAt);
  const data = mailboxData(record, type, rows);
  await publishEvent(deps, { id: newId('evt'), customerId: record.customerId, type, happenedAt, data });
}
