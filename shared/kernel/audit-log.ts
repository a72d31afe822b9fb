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

/** What is known after the work. `customerId` only if the work has created that customer. */
export type AuditResult = Pick<AuditRecord, 'result' | 'status'> & Partial<Pick<AuditRecord, 'object' | 'customerId'>>;

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
  /**
   * Writes the result into the record of an intent. Called once for each intent. Does nothing if the intent was
   * purged in the meantime.
   */
  complete(intent: AuditRecord, result: AuditResult): Promise<void>;
  /**
   * Newest first. Costs one storage request, so with a filter a page can be short or even empty. It is the last page
   * only if it has no cursor.
   */
  list(query: AuditQuery, page: PageRequest): Promise<Page<AuditRecord>>;
  /** Removes records from before this instant, at most `max` of them. Resolves to their number. */
  removeBefore(before: Date, max: number): Promise<number>;
  /** Removes all records of a customer, from every list. Repeatable. */
  purge(customerId: string): Promise<void>;
}
