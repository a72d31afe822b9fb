/** The names of queues, tables and containers. `infra/` provisions exactly these; a test compares the two. */
export const queues = {
  planImport: 'plan-import',
  dispatchChecks: 'dispatch-checks',
  checkMailbox: 'check-mailbox',
  deleteConnection: 'delete-connection',
  publishEvents: 'publish-events',
  deliverEvent: 'deliver-event',
  readDirectory: 'read-directory',
} as const;

export const poisonQueues = {
  planImport: 'plan-import-poison',
  dispatchChecks: 'dispatch-checks-poison',
  checkMailbox: 'check-mailbox-poison',
  deleteConnection: 'delete-connection-poison',
  publishEvents: 'publish-events-poison',
  deliverEvent: 'deliver-event-poison',
  readDirectory: 'read-directory-poison',
} as const;

export const queueNames: readonly string[] = Object.values(queues);

/** Where the host moves the messages of a queue that failed too often. */
export function poisonQueueOf(queue: string): string {
  return `${queue}-poison`;
}

export const tables = {
  /** Partition `customers`: the customer records. Partition of a customer: its slots, claims and releases. */
  customers: 'customers',
  /** Partition of a customer (or `operator`): its API keys, hashed. */
  apiKeys: 'apikeys',
  /**
   * Partition of a customer: its connections. Partitions `expiring…`: when their client secrets expire. Partition
   * `deletions`: the connections that are being deleted.
   */
  connections: 'connections',
  /** The one-time `state` values of consent links, hashed. */
  consents: 'consents',
  /**
   * Partition of a customer: its imports, who is uploading, and the uploads that dry runs have kept. Partition `open`:
   * pointers to the unfinished imports. Partition `removals`: which uploads and rows are to be removed, and when.
   * Partition `paces`: how fast each tenant may be asked. Partition `pool`: how many messages all imports share.
   */
  imports: 'imports',
  /** Partition of a connection: its mailboxes, and the rows, plans and tallies of its imports. */
  mailboxes: 'mailboxes',
  /**
   * Partition of a customer: its webhooks, and the log of deliveries. Partition `outbox`: where something has happened
   * that no delivery may tell yet. Partition `open`: pointers to the unfinished deliveries.
   */
  webhooks: 'webhooks',
  /** Partition of a customer (or of an operator's API key): answers stored for `Idempotency-Key`. */
  idempotency: 'idempotency',
  /** Partition of a queue: its poison messages, with their last error, and what operators decided. */
  poison: 'poison',
  /** Partition `timer`: when each timer last completed a run. Partition `progress`: how far each unfinished import is. */
  heartbeats: 'heartbeats',
  /** Partition `all`: the audit records of everyone. Partition of a customer: its own, once more. Purged with it. */
  audit: 'audit',
  /**
   * Partition of a connection: the users of its tenant, and how far reading them has got. Partition `reading`: the
   * connections whose tenant is being read. Partition `kept`: until when a directory is kept.
   */
  directory: 'directory',
} as const;

export const containers = {
  /** `{customerId}/{importId}`: uploads, unchanged. */
  uploads: 'uploads',
} as const;

/** The name of the data storage account in triggers and settings. */
export const DATA_STORAGE = 'DataStorage';
