import type { Trace } from './http.ts';

export interface RequestCount {
  service: string;
  method: string;
  route: string;
  status: number;
  count: number;
}

export interface LoggedRequest extends Trace {
  /** Grows by one with each entry; `since` of the log is such a number. */
  sequence: number;
  at: string;
  method: string;
  /** 0: no answer was given, or it was lost. */
  status: number;
  /** Set for a part of a `$batch`, which is no HTTP request of its own and is not counted as one. */
  inBatch?: boolean;
}

const keptEntries = 20_000;

/** Counts every request, and remembers the last ones in a ring. */
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
    this.#ring[this.#sequence % keptEntries] = inBatch ? { ...entry, inBatch } : entry;
  }

  counts(): RequestCount[] {
    return [...this.#counts.values()];
  }

  /** Entries after `since`, oldest first: a sequence number, or a time. */
  entries(since: string | undefined, limit = 1000): LoggedRequest[] {
    const inOrder = this.#ring.filter(Boolean).sort((a, b) => a.sequence - b.sequence);
    if (since === undefined || since === '') return inOrder.slice(-limit);
    const after = /^\d+$/.test(since)
      ? inOrder.filter((entry) => entry.sequence > Number(since))
      : inOrder.filter((entry) => entry.at > new Date(since).toISOString());
    return after.slice(0, limit);
  }

  /** Forgets the counts; the log goes on. */
  reset(): void {
    this.#counts.clear();
  }
}
