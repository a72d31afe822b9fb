import type { Entry } from '../directory.ts';
import type { Tenant } from '../tenant.ts';

/** Counts the open connections of each mailbox. */
export class OpenConnections {
  readonly #counts = new Map<string, number>();

  /** Counts one more connection. Call the returned function when it closes; calling it twice does no harm. */
  add(tenant: Tenant, entry: Entry): () => void {
    const key = keyOf(tenant, entry);
    this.#counts.set(key, this.count(tenant, entry) + 1);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      const left = (this.#counts.get(key) ?? 1) - 1;
      if (left > 0) this.#counts.set(key, left);
      else this.#counts.delete(key);
    };
  }

  count(tenant: Tenant, entry: Entry): number {
    return this.#counts.get(keyOf(tenant, entry)) ?? 0;
  }
}

const keyOf = (tenant: Tenant, entry: Entry) => `${tenant.id.toLowerCase()} ${entry.address.toLowerCase()}`;
