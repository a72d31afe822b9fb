import type { Trace } from './http.ts';

/** How often a service gave one status on one route. */
export interface RequestCount {
  service: string;
  method: string;
  route: string;
  status: number;
  count: number;
}

export interface LoggedRequest extends Trace {
  /** Grows by one with each entry. The log's `since` parameter takes it. */
  sequence: number;
  at: string;
  method: string;
  /** 0: the client got no answer. */
  status: number;
  /** Set for a part of a `$batch`. A part is not an HTTP request, so it is logged but not counted. */
  inBatch?: boolean;
}

export const LOG_ENTRIES_MAX = 20_000;

/** Counts all requests and logs the last ones in a ring buffer. */
export class RequestLedger {
  readonly #counts = new Map<string, RequestCount>();
  readonly #ring: LoggedRequest[] = [];
  #sequence = 0;

  count(service: string, method: string, route: string, status: number): void {
    const key = `${service} ${method} ${status} ${route}`;
    const known = this.#counts.get(key);
    if (known) known.count += 1;
    else this.#counts.set(key, { service, method, route, status, count: 1 });
  }

  log(method: string, status: number, trace: Trace, inBatch = false): void {
    this.#sequence += 1;
    const entry = { sequence: this.#sequence, at: new Date().toISOString(), method, status, ...trace };
    this.#ring[this.#sequence % LOG_ENTRIES_MAX] = inBatch ? { ...entry, inBatch } : entry;
  }

  counts(): RequestCount[] {
    return [...this.#counts.values()];
  }

  /** Entries after `since`, oldest first. `since` is a sequence number or a time; without it, the last entries. */
  entries(since: string | undefined, limit = 1000): LoggedRequest[] {
    const inOrder = this.#ring.filter(Boolean).sort((a, b) => a.sequence - b.sequence);
    if (since === undefined || since === '') return inOrder.slice(-limit);
    const after = /^\d+$/.test(since)
      ? inOrder.filter((entry) => entry.sequence > Number(since))
      : inOrder.filter((entry) => entry.at > new Date(since).toISOString());
    return after.slice(0, limit);
  }

  /** Clears the counts but not the log. */
  reset(): void {
    this.#counts.clear();
  }
}
