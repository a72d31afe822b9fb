import type { Entry } from '../directory.ts';
import type { Tenant } from '../tenant.ts';

/** How many connections each mailbox has open. */
export class Places {
  readonly #taken = new Map<string, number>();

  /** Takes a place; the answer gives it back, once. */
  take(tenant: Tenant, entry: Entry): () => void {
    const key = keyOf(tenant, entry);
    this.#taken.set(key, this.count(tenant, entry) + 1);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      const left = (this.#taken.get(key) ?? 1) - 1;
      if (left > 0) this.#taken.set(key, left);
      else this.#taken.delete(key);
    };
  }

  count(tenant: Tenant, entry: Entry): number {
    return this.#taken.get(keyOf(tenant, entry)) ?? 0;
  }
}

const keyOf = (tenant: Tenant, entry: Entry) => `${tenant.id.toLowerCase()} ${entry.address.toLowerCase()}`;
