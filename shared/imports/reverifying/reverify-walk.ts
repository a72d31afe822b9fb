import type { Tagged } from '../../kernel/tagged.ts';

/** How far the look for due mailboxes of a connection has got. */
export interface ReverifyWalk {
  /** Raised with every step. Names the action that the step starts. */
  serial: number;
  /** When the walk began at the first mailbox. */
  startedAt: Date;
  movedAt: Date;
  /** The action that the last step started. The next step waits for its end. */
  actionId?: string;
  /** Failed mailboxes were left out although slots were free, because others came first. */
  hasPostponed?: true;
  /** Of the connection's mailboxes. Absent if the walk is over. */
  cursor?: string;
}

/** Every call rejects with `storage_unavailable` if storage is unavailable. Purged with the ledger of the connection. */
export interface ReverifyWalks {
  get(connectionId: string): Promise<Tagged<ReverifyWalk> | undefined>;
  /**
   * Without a tag the record is created, with one it replaces what was read. Resolves to the new tag, or to `undefined`
   * if another writer was faster.
   */
  put(connectionId: string, walk: ReverifyWalk, tag: string | undefined): Promise<string | undefined>;
}
