import type { Clock } from '../kernel/clock.ts';
import type { Tagged } from '../kernel/tagged.ts';
import { type Import, isEnded } from './import.ts';
import type { ImportStore } from './import-store.ts';

export interface ImportLeaseDeps {
  imports: Pick<ImportStore, 'update'>;
  clock: Clock;
  dispatching: { leaseMs: number };
}

/** An import that only the holder of this lease works on. */
export interface LeasedImport {
  /** As it was last read or written under the lease. */
  readonly record: Import;
  /** Renews the lease once half of it has passed. `false` if the lease is lost. */
  keep(): Promise<boolean>;
  /**
   * Changes the import and renews the lease in one write. `false` if the lease is lost: another writer has changed the
   * import, and nothing was written.
   */
  save(change: (current: Import) => Import): Promise<boolean>;
  /** Lets the next holder begin immediately. */
  release(): Promise<void>;
}

/** Whether someone else than `holder` works on the import. */
export function isHeldByAnother({ lease }: Pick<Import, 'lease'>, holder: string | undefined, now: Date): boolean {
  return lease !== undefined && lease.until > now && lease.holder !== holder;
}

/**
 * Acquires the lease of an import, or continues the one that this holder has. Call it only if nobody else holds it.
 * `undefined` if another writer was faster.
 */
export async function leaseImport(
  deps: ImportLeaseDeps,
  found: Tagged<Import>,
  holder: string,
): Promise<LeasedImport | undefined> {
  const { imports, clock, dispatching } = deps;
  const lease = new ImportLease(imports, clock, dispatching.leaseMs, holder, found);
  return (await lease.save((current) => current)) ? lease : undefined;
}

class ImportLease implements LeasedImport {
  #tag: string | undefined;
  readonly #imports: Pick<ImportStore, 'update'>;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #holder: string;
  record: Import;

  constructor(
    imports: Pick<ImportStore, 'update'>,
    clock: Clock,
    leaseMs: number,
    holder: string,
    found: Tagged<Import>,
  ) {
    this.#imports = imports;
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#holder = holder;
    this.#tag = found.tag;
    this.record = found.value;
  }

  async keep(): Promise<boolean> {
    const leftMs = (this.record.lease?.until.getTime() ?? 0) - this.#clock.now().getTime();
    if (this.#tag !== undefined && leftMs > this.#leaseMs / 2) return true;
    return this.save((current) => current);
  }

  async save(change: (current: Import) => Import): Promise<boolean> {
    const until = new Date(this.#clock.now().getTime() + this.#leaseMs);
    const { sentUpTo = 0 } = this.record.lease ?? {};
    const lease = { holder: this.#holder, until, sentUpTo: Math.max(this.record.cursor, sentUpTo) };
    return this.#write(change({ ...this.record, lease }));
  }

  async release(): Promise<void> {
    const { lease, ...rest } = this.record;
    if (!lease || isEnded(rest.status)) return;
    await this.#write({ ...rest, lease: endLease(lease) });
  }

  async #write(next: Import): Promise<boolean> {
    if (this.#tag === undefined) return false;
    const tag = this.#tag;
    // Until the write is certain, nothing else may be written by the old tag.
    this.#tag = undefined;
    this.#tag = await this.#imports.update(next, tag);
    if (this.#tag === undefined) return false;
    this.record = next;
    return true;
  }
}

/** A lease that nobody holds. What it announced stays known, because those lines may have been sent. */
export function endLease<Lease extends NonNullable<Import['lease']>>(lease: Lease): Lease {
  return { ...lease, holder: '', until: new Date(0) };
}
