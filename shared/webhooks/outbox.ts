/** What can have something to publish: a connection, an import, or the mailboxes of an import that has ended. */
export const happeningSources = ['connection', 'import', 'mailboxes'] as const;
export type HappeningSource = (typeof happeningSources)[number];

/** Says where something has happened that no delivery may tell yet. The source's own record says what. */
export interface OutboxEntry {
  customerId: string;
  source: HappeningSource;
  /** The ID of the connection or import. */
  id: string;
  notedAt: Date;
  /** Of mailboxes: the connection that they belong to, and the last line that was published. */
  connectionId?: string;
  line?: number;
}

/** The record of a younger entry may still be on its way. */
export const NOTED_FOR_MS = 60_000;

type OutboxKey = Pick<OutboxEntry, 'customerId' | 'source' | 'id'>;

/**
 * Finds what is still to be published after a process has died.
 *
 * What happens is written in the same write that makes it true: it is a field of the connection or import. The entry
 * here is written before that, so that the record is found again if the process dies right after. An entry without
 * anything to publish is harmless.
 *
 * Every call rejects with `storage_unavailable` if storage is unavailable.
 */
export interface Outbox {
  /** Writes or renews the entry. */
  note(entry: OutboxEntry): Promise<void>;
  /** Succeeds without a change if the entry exists. */
  begin(entry: OutboxEntry): Promise<void>;
  get(key: OutboxKey): Promise<{ value: OutboxEntry; tag: string } | undefined>;
  /** Resolves to the new tag, or to `undefined` if the entry has changed since `tag` was read or is gone. */
  update(entry: OutboxEntry, tag: string): Promise<string | undefined>;
  /** Removes the entry unless it has changed since `tag` was read. Succeeds if there is no such entry. */
  remove(key: OutboxKey, tag: string): Promise<void>;
  /** Entries that were noted up to this instant, with their tags. */
  list(until: Date, limit: number): Promise<{ value: OutboxEntry; tag: string }[]>;
}
