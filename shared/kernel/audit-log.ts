import type { Role } from './actor.ts';
import type { Page, PageRequest } from './page.ts';

/** One attempt to change something. Never holds a secret. */
export interface AuditRecord {
  id: string;
  at: Date;
  keyId: string;
  role: Role;
  /** The customer it was for. Absent if it concerned no single customer. */
  customerId?: string;
  /** Resource and verb: `connections.update`. */
  action: string;
  /** The ID of what was changed or created. */
  object?: string;
  /**
   * `succeeded`, the code of the problem, or `internal_error`. `unknown` from before the work until after it, and forever
   * if the process dies in between.
   */
  result: string;
  /** The HTTP status of the answer. Absent while the result is `unknown`. */
  status?: number;
  requestId: string;
  /** The caller's IP address, if the platform tells us. */
  address?: string;
}

export interface AuditQuery {
  /** Absent for the records of all customers. */
  customerId?: string | undefined;
  from?: Date | undefined;
  action?: string | undefined;
}

/** The append-only record of changes. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface AuditLog {
  /** Writes an intent: a record whose result is `unknown`. */
  insert(intent: AuditRecord): Promise<void>;
  /** Writes the result into the record. Called once for each intent. */
  complete(record: AuditRecord): Promise<void>;
  /**
   * Newest first. Costs one storage request, so with a filter a page can be short or even empty. It is the last page
   * only if it has no cursor.
   */
  list(query: AuditQuery, page: PageRequest): Promise<Page<AuditRecord>>;
  /** Removes records from before this instant, at most `max` of them. Resolves to their number. */
  removeBefore(before: Date, max: number): Promise<number>;
}
