import { odata, type TableClient, type TableEntityResult, type TransactionAction } from '@azure/data-tables';
import type { CommitResult, Ledger, LedgerChange, RowQuery } from '../../imports/ledger/ledger.ts';
import type { PlanRecord } from '../../imports/ledger/plan-record.ts';
import type { Row } from '../../imports/ledger/row.ts';
import type { Tally } from '../../imports/ledger/tally.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { escapeKey } from './keys.ts';
import { readPage } from './read-page.ts';
import { storageAway, transactionFailure } from './table-errors.ts';

const mailboxColumns: Columns<Mailbox> = {
  address: 'text',
  displayName: 'text',
  dailyLimit: 'number',
  reference: 'text',
  kind: 'text',
  status: 'text',
  checks: 'json',
  nextCheckAt: 'instant',
  importId: 'text',
  openRow: 'text',
  slotClaimedBy: 'text',
  createdAt: 'instant',
};

const rowColumns: Columns<Row> = {
  importId: 'text',
  line: 'number',
  address: 'text',
  displayName: 'text',
  dailyLimit: 'number',
  reference: 'text',
  state: 'text',
  code: 'text',
  message: 'text',
  cause: 'text',
  requestId: 'text',
  attempt: 'number',
  firstDeferredAt: 'instant',
  nextCheckAt: 'instant',
  priorFindings: 'json',
};

const planColumns: Columns<PlanRecord> = {
  importId: 'text',
  line: 'number',
  rows: 'number',
  accepted: 'number',
  rejected: 'number',
  duplicates: 'number',
  slotsNeeded: 'number',
  done: 'flag',
  closed: 'flag',
  movedAt: 'instant',
};

const tallyColumns: Columns<Tally> = { importId: 'text', writer: 'text', counts: 'json' };

const mailboxKey = (address: string) => escapeKey(`m:${address}`);
const rowKey = (importId: string, line: number) => `r:${importId}:${String(line).padStart(9, '0')}`;
const planKey = (importId: string) => `p:${importId}`;
const tallyKey = (tally: Pick<Tally, 'importId' | 'writer'>) => `t:${tally.importId}:${tally.writer}`;

type Entity = TableEntityResult<Record<string, unknown>>;

/**
 * The books of all connections in one table, a partition for each.
 *
 * @param table its client must not resend by itself: an answer lost after a commit would then come back as a conflict.
 */
export function tableLedger(table: TableClient): Ledger {
  async function get<T extends object>(connectionId: string, key: string, columns: Columns<T>) {
    try {
      return tagged(columns, await table.getEntity<Record<string, unknown>>(connectionId, key));
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode === 404) return undefined;
      throw storageAway(error);
    }
  }

  async function* range(connectionId: string, prefix: string): AsyncGenerator<Entity> {
    const filter = between(connectionId, prefix, after(prefix));
    try {
      yield* table.listEntities<Record<string, unknown>>({ queryOptions: { filter } });
    } catch (error) {
      throw storageAway(error);
    }
  }

  return {
    getMailbox: (connectionId, address) => get(connectionId, mailboxKey(address), mailboxColumns),
    getRow: (connectionId, importId, line) => get(connectionId, rowKey(importId, line), rowColumns),
    getPlan: (connectionId, importId) => get(connectionId, planKey(importId), planColumns),
    async *eachMailbox(connectionId) {
      for await (const entity of range(connectionId, 'm:')) yield tagged(mailboxColumns, entity);
    },
    async listMailboxes(connectionId, request, status) {
      const range = between(connectionId, 'm:', after('m:'));
      const page = await readPage(
        table,
        status === undefined ? range : `${range} and ${odata`status eq ${status}`}`,
        request,
      );
      return { ...page, items: page.items.map((entity) => fromProperties(mailboxColumns, entity)) };
    },
    async findRows(connectionId, importId, query) {
      const rows: Tagged<Row>[] = [];
      try {
        const pages = table
          .listEntities<Record<string, unknown>>({ queryOptions: { filter: rowFilter(connectionId, importId, query) } })
          .byPage({ maxPageSize: Math.min(1000, query.limit) });
        for await (const page of pages) {
          for (const entity of page) {
            rows.push(tagged(rowColumns, entity));
            if (rows.length === query.limit) return rows;
          }
        }
      } catch (error) {
        throw storageAway(error);
      }
      return rows;
    },
    async listRows(connectionId, importId, request, state) {
      const prefix = `r:${importId}:`;
      const range = between(connectionId, prefix, after(prefix));
      const page = await readPage(
        table,
        state === undefined ? range : `${range} and ${odata`state eq ${state}`}`,
        request,
      );
      return { ...page, items: page.items.map((entity) => fromProperties(rowColumns, entity)) };
    },
    async listTallies(connectionId, importId) {
      const tallies: Tally[] = [];
      for await (const entity of range(connectionId, `t:${importId}:`))
        tallies.push(fromProperties(tallyColumns, entity));
      return tallies;
    },
    async commit(connectionId, changes): Promise<CommitResult> {
      try {
        const done = await table.submitTransaction(changes.map((change) => toAction(connectionId, change)));
        return { committed: true, tags: done.subResponses.map((response) => response.etag ?? '') };
      } catch (error) {
        const failure = transactionFailure(error);
        if (!failure) throw storageAway(error);
        return { committed: false, ...failure };
      }
    },
    async purge(connectionId) {
      let batch: TransactionAction[] = [];
      const flush = async () => {
        if (batch.length > 0) await table.submitTransaction(batch);
        batch = [];
      };
      try {
        const filter = odata`PartitionKey eq ${connectionId}`;
        for await (const { rowKey: key } of table.listEntities({
          queryOptions: { filter, select: ['PartitionKey', 'RowKey'] },
        })) {
          batch.push(['delete', { partitionKey: connectionId, rowKey: key ?? '' }]);
          if (batch.length === 100) await flush();
        }
        await flush();
      } catch (error) {
        throw storageAway(error);
      }
    },
  };
}

function tagged<T extends object>(columns: Columns<T>, entity: Record<string, unknown> & { etag?: string }): Tagged<T> {
  return { value: fromProperties(columns, entity), tag: entity.etag ?? '' };
}

/** The first key beyond every key with this prefix; prefixes end in `:`, and `;` comes next. */
function after(prefix: string): string {
  return `${prefix.slice(0, -1)};`;
}

function between(connectionId: string, from: string, to: string): string {
  return odata`PartitionKey eq ${connectionId} and RowKey ge ${from} and RowKey lt ${to}`;
}

function rowFilter(connectionId: string, importId: string, query: RowQuery): string {
  const to = query.toLine === undefined ? after(`r:${importId}:`) : rowKey(importId, query.toLine);
  const parts = [between(connectionId, rowKey(importId, query.fromLine), to)];
  if (query.states) parts.push(`(${query.states.map((state) => odata`state eq ${state}`).join(' or ')})`);
  if (query.dueBy) parts.push(odata`nextCheckAt gt '' and nextCheckAt le ${query.dueBy.toISOString()}`);
  return parts.join(' and ');
}

function toAction(partitionKey: string, change: LedgerChange): TransactionAction {
  switch (change.op) {
    case 'createMailbox':
      return [
        'create',
        { partitionKey, rowKey: mailboxKey(change.mailbox.address), ...toProperties(mailboxColumns, change.mailbox) },
      ];
    case 'createRow':
      return [
        'create',
        { partitionKey, rowKey: rowKey(change.row.importId, change.row.line), ...toProperties(rowColumns, change.row) },
      ];
    case 'createPlan':
      return [
        'create',
        { partitionKey, rowKey: planKey(change.plan.importId), ...toProperties(planColumns, change.plan) },
      ];
    case 'mergeMailbox':
      return merge(partitionKey, mailboxKey(change.address), toProperties(mailboxColumns, change.patch), change.tag);
    case 'mergeRow':
      return merge(
        partitionKey,
        rowKey(change.importId, change.line),
        toProperties(rowColumns, change.patch),
        change.tag,
      );
    case 'mergePlan':
      return merge(partitionKey, planKey(change.importId), toProperties(planColumns, change.patch), change.tag);
    case 'writeTally': {
      const entity = { partitionKey, rowKey: tallyKey(change.tally), ...toProperties(tallyColumns, change.tally) };
      return change.tag === undefined ? ['create', entity] : ['update', entity, 'Replace', { etag: change.tag }];
    }
  }
}

function merge(partitionKey: string, rowKey: string, properties: object, tag: string | undefined): TransactionAction {
  return ['update', { partitionKey, rowKey, ...properties }, 'Merge', { etag: tag ?? '*' }];
}
