/** What the app keeps its things in. `infra/` provisions exactly these; a test holds the two together. */
export const queues = {
  planImport: 'plan-import',
  dispatchChecks: 'dispatch-checks',
  checkMailbox: 'check-mailbox',
} as const;

export const poisonQueues = {
  planImport: 'plan-import-poison',
  dispatchChecks: 'dispatch-checks-poison',
  checkMailbox: 'check-mailbox-poison',
} as const;

export const tables = {
  /** Partition `customers`: the customer records. Partition of a customer: its slots, claims and releases. */
  customers: 'customers',
  /** Partition of a customer (or `operator`): its API keys, hashed. */
  apiKeys: 'apikeys',
  /** Partition of a customer: its connections. */
  connections: 'connections',
  /** One-time anti-forgery states of consent links. */
  consents: 'consents',
  /** Partition of a customer: its imports. Partition `open`: pointers to the unfinished ones. */
  imports: 'imports',
  /** Partition of a connection: its mailboxes, and the rows, plans and tallies of its imports. */
  mailboxes: 'mailboxes',
  /** Partition of a customer: answers remembered for `Idempotency-Key`. */
  idempotency: 'idempotency',
  /** Partition of a queue: messages that ended in poison, with their error. */
  poison: 'poison',
  /** Partition `timer`: when each timer last ran. */
  heartbeats: 'heartbeats',
} as const;

export const containers = {
  /** `{customerId}/{importId}`: uploads, as they came. */
  uploads: 'uploads',
} as const;

/** The name that triggers and settings use for the storage account with our data. */
export const DATA_STORAGE = 'DataStorage';
