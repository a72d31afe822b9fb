import type { CauseCode } from '../causes/causes.ts';
import { explain, type KnownCase } from '../causes/explain.ts';
import type { ConnectionFinding } from '../causes/verdict.ts';
import { type Connection, hasOwnApp } from '../connections/connection.ts';
import type { ConnectionHappening } from '../connections/happenings.ts';
import type { Import, ImportFinding, PauseToAnnounce } from '../imports/import.ts';
import type { Row } from '../imports/ledger/row.ts';

import type { EventData } from './event-schemas.ts';
import type { Event } from './event-types.ts';
import { secretExpiryData } from './secret-expiry-data.ts';

type Finding = EventData['connection.failing']['finding'];

/** What has happened to a connection, as an event. */
export function connectionEvent(connection: Connection, happening: ConnectionHappening): Event {
  const { customerId, id: connectionId, name, tenantId } = connection;
  const { id, type, happenedAt } = happening;
  const base = { connectionId, name, tenantId };
  const data = {
    ...base,
    ...(happening.finding && { finding: ofConnection(happening.finding) }),
    ...(happening.expiry && hasOwnApp(connection) && secretExpiryData(connection, type, happening.expiry)),
  };
  return { id, customerId, type, happenedAt, data };
}

export function importCompletedData(record: Import): EventData['import.completed'] {
  const { counts, createdAt, finishedAt = createdAt } = record;
  return {
    importId: record.id,
    connectionId: record.connectionId,
    status: record.status === 'cancelled' || record.status === 'failed' ? record.status : 'completed',
    counts: {
      rows: counts?.rows ?? 0,
      accepted: counts?.accepted ?? 0,
      rejected: counts?.rejected ?? 0,
      duplicates: counts?.duplicates ?? 0,
      passed: counts?.passed ?? 0,
      failed: counts?.failed ?? 0,
      inconclusive: counts?.inconclusive ?? 0,
      cancelled: counts?.cancelled ?? 0,
    },
    finding: record.finding ? ofImport(record.finding) : null,
    createdAt: createdAt.toISOString(),
    finishedAt: finishedAt.toISOString(),
  };
}

export function importPausedData(record: Import, { pausedAt, finding }: PauseToAnnounce): EventData['import.paused'] {
  return {
    importId: record.id,
    connectionId: record.connectionId,
    finding: finding ? ofImport(finding) : null,
    pausedAt: pausedAt.toISOString(),
  };
}

export function mailboxData(
  { id: importId, connectionId }: Pick<Import, 'id' | 'connectionId'>,
  type: 'mailbox.activated' | 'mailbox.failed',
  rows: readonly Row[],
): EventData['mailbox.activated' | 'mailbox.failed'] {
  const plain = rows.map(({ address, line, reference }) => ({
    address,
    line,
    ...(reference !== undefined && { reference }),
  }));
  if (type === 'mailbox.activated') return { importId, connectionId, mailboxes: plain };
  const known = new Set(rows.flatMap(({ cause }) => (cause ? [cause] : [])));
  return {
    importId,
    connectionId,
    mailboxes: plain.map((mailbox, i) => ({ ...mailbox, ...causeOf(rows[i]) })),
    causes: Object.fromEntries([...known].map((code) => [code, textsOf(code)])),
  };
}

const causeOf = (row: Row | undefined) => (row?.cause === undefined ? {} : { cause: row.cause });

function textsOf(code: CauseCode, known?: KnownCase) {
  const { sentence: detail, fix, link } = explain(code, known);
  return { detail, fix, link };
}

function ofConnection(finding: ConnectionFinding): Finding {
  const { cause, detail, seenAt, microsoftCode, requestId } = finding;
  return {
    cause,
    ...textsOf(cause, finding),
    ...(detail && { detail }),
    ...ids({ microsoftCode, requestId }),
    seenAt: text(seenAt),
  };
}

function ofImport(finding: ImportFinding): Finding {
  const { code: cause, detail, fix, link, microsoftCode, requestId, seenAt } = finding;
  return {
    cause,
    detail,
    ...(fix !== undefined && { fix }),
    ...(link !== undefined && { link }),
    ...ids({ microsoftCode, requestId }),
    seenAt: text(seenAt),
  };
}

const text = (instant: Date) => instant.toISOString();

function ids({ microsoftCode, requestId }: { microsoftCode: string | undefined; requestId: string | undefined }) {
  return { ...(microsoftCode !== undefined && { microsoftCode }), ...(requestId !== undefined && { requestId }) };
}
