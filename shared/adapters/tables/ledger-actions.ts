import type { TransactionAction } from '@azure/data-tables';
import type { LedgerChange } from '../../imports/ledger/ledger.ts';
import { toProperties } from './columns.ts';
import {
  batchColumns,
  batchKey,
  identityColumns,
  identityKey,
  mailboxColumns,
  mailboxKey,
  planColumns,
  planKey,
  rowColumns,
  rowKey,
  tallyColumns,
  tallyKey,
} from './ledger-entities.ts';

/** One change of the ledger, as a part of a transaction in the partition of its connection. */
export function toAction(partitionKey: string, change: LedgerChange): TransactionAction {
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
    case 'explainRow': {
      const { importId, line, cause, detail } = change;
      return merge(partitionKey, rowKey(importId, line), toProperties(rowColumns, { cause, detail }), undefined);
    }
    case 'createSettledBatch':
      return ['create', { partitionKey, rowKey: batchKey(change.batch), ...toProperties(batchColumns, change.batch) }];
    case 'mergePlan':
      return merge(partitionKey, planKey(change.importId), toProperties(planColumns, change.patch), change.tag);
    case 'writeIdentity': {
      const { identity, tag } = change;
      const entity = { partitionKey, rowKey: identityKey(identity.key), ...toProperties(identityColumns, identity) };
      return tag === undefined ? ['create', entity] : ['update', entity, 'Replace', { etag: tag }];
    }
    case 'writeTally': {
      const entity = { partitionKey, rowKey: tallyKey(change.tally), ...toProperties(tallyColumns, change.tally) };
      return change.tag === undefined ? ['create', entity] : ['update', entity, 'Replace', { etag: change.tag }];
    }
  }
}

function merge(partitionKey: string, rowKey: string, properties: object, tag: string | undefined): TransactionAction {
  return ['update', { partitionKey, rowKey, ...properties }, 'Merge', { etag: tag ?? '*' }];
}
