import type { ApiKey } from '../../shared/api-keys/api-key.ts';
import type { Connection, OwnConnection } from '../../shared/connections/connection.ts';
import type { CertificateCredential, ClientSecretCredential } from '../../shared/connections/credentials/credential.ts';
import { deploymentCredential } from '../../shared/connections/credentials/credential.ts';
import type { Customer } from '../../shared/customers/customer.ts';
import type { Import } from '../../shared/imports/import.ts';
import { newPlanRecord, type PlanRecord } from '../../shared/imports/ledger/plan-record.ts';
import type { Row } from '../../shared/imports/ledger/row.ts';
import { type Tally, type TallyCounts, zeroCounts } from '../../shared/imports/ledger/tally.ts';
import type { CheckMessage } from '../../shared/imports/messages.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';

/**
 * Complete records for tests: name only the fields that the test is about. Optional fields are absent. All records belong
 * to customer `cust_1`, connection `conn_1` and import `imp_1`, and are from `RECORDS_NOW`.
 */
export const RECORDS_NOW = new Date('2026-06-01T00:00:00Z');

export function aCustomer(change: Partial<Customer> = {}): Customer {
  return { id: 'cust_1', name: 'Acme', createdAt: RECORDS_NOW, ...change };
}

export function anApiKey(change: Partial<ApiKey> = {}): ApiKey {
  return {
    id: 'key_1',
    customerId: 'cust_1',
    name: 'laptop',
    role: 'member',
    hash: 'hash',
    createdAt: RECORDS_NOW,
    ...change,
  };
}

export function aClientSecret(change: Partial<ClientSecretCredential> = {}): ClientSecretCredential {
  return { kind: 'clientSecret', version: 'v1', expiresAt: new Date('2036-01-01T00:00:00Z'), ...change };
}

export function aCertificate(): CertificateCredential {
  const certificate = {
    origin: 'made' as const,
    thumbprint: 'A'.repeat(40),
    thumbprintSha256: 'B'.repeat(64),
    subject: 'CN=Muster conn_1',
    validFromAt: RECORDS_NOW,
    der: Buffer.from('a certificate').toString('base64'),
  };
  return { kind: 'certificate', version: 'c1', expiresAt: new Date('2036-01-01T00:00:00Z'), certificate };
}

/** Ready, with the probes that are the default. */
const ADMIN_ID = 'b5f1d6a0-3c77-4e4d-8a0e-2f4f5b1c9e11';

/** A connection through the vendor's app, which an admin has confirmed. */
export function aVendorConnection(change: Partial<Connection> = {}): Connection {
  return {
    ...aConnection(),
    credential: deploymentCredential,
    adminConfirmation: { at: RECORDS_NOW, adminId: ADMIN_ID },
    ...change,
  };
}

export function aConnection(change?: Partial<OwnConnection>): OwnConnection;
export function aConnection(change: Partial<Connection>): Connection;
export function aConnection(change: Partial<Connection> = {}): Connection {
  return {
    id: 'conn_1',
    customerId: 'cust_1',
    name: 'Contoso',
    cloud: 'global',
    tenantId: '5a1c6f3e-0b7d-4e29-9c84-2f6e8d1b7a50',
    clientId: 'e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37',
    credential: aClientSecret(),
    credentialState: 'valid',
    probes: ['graph.readWrite', 'graph.send'],
    sendProbe: 'noDelivery',
    status: 'ready',
    grantsChangedAt: RECORDS_NOW,
    createdAt: RECORDS_NOW,
    ...change,
  };
}

/** Running, in its first epoch, with nothing dispatched yet. */
export function anImport(change: Partial<Import> = {}): Import {
  return {
    id: 'imp_1',
    customerId: 'cust_1',
    connectionId: 'conn_1',
    status: 'running',
    epoch: 1,
    cursor: 1,
    dispatched: 0,
    batches: [],
    eventPending: false,
    uploadType: 'text/csv',
    quotaRows: 0,
    createdAt: RECORDS_NOW,
    ...change,
  };
}

function addressOf(line: number): string {
  return `user${line}@contoso.example`;
}

/** A row that nobody has checked yet. */
export function aRow(change: Partial<Row> = {}): Row {
  const { line = 2 } = change;
  return { importId: 'imp_1', line, address: addressOf(line), state: 'pending', attempt: 0, ...change };
}

/** The mailbox of the row on line 2, which no import is working on. */
export function aMailbox(change: Partial<Mailbox> = {}): Mailbox {
  return {
    address: addressOf(2),
    kind: 'unknown',
    status: 'pending',
    checks: {},
    importId: 'imp_1',
    line: 2,
    createdAt: RECORDS_NOW,
    ...change,
  };
}

/** A plan that has not begun. */
export function aPlan(change: Partial<PlanRecord> = {}): PlanRecord {
  return { ...newPlanRecord('imp_1', RECORDS_NOW), ...change };
}

export function aTally({
  counts,
  ...change
}: Partial<Omit<Tally, 'counts'>> & { counts?: Partial<TallyCounts> } = {}): Tally {
  return { importId: 'imp_1', writer: 'process.1', ...change, counts: { ...zeroCounts, ...counts } };
}

/** The first message for the row on line 2. */
export function aCheckMessage(change: Partial<CheckMessage> = {}): CheckMessage {
  const { line = 2 } = change;
  return {
    v: 2,
    customerId: 'cust_1',
    connectionId: 'conn_1',
    importId: 'imp_1',
    line,
    address: addressOf(line),
    rowTag: 'tag-1',
    attempt: 0,
    epoch: 1,
    generation: 0,
    sentAt: RECORDS_NOW,
    tries: 0,
    ...change,
  };
}
