/** How many requests to one route got one status. */
export interface VaultRequestCount {
  service: 'vault';
  method: string;
  /** With its parameters named, such as `/secrets/{name}`. */
  route: string;
  status: number;
  count: number;
}

export class VaultRequestCounts {
  readonly #counts = new Map<string, VaultRequestCount>();

  add(method: string, route: string, status: number): void {
    const key = `${method} ${route} ${status}`;
    const known = this.#counts.get(key);
    if (known) known.count += 1;
    else this.#counts.set(key, { service: 'vault', method, route, status, count: 1 });
  }

  list(): VaultRequestCount[] {
    return [...this.#counts.values()];
  }

  reset(): void {
    this.#counts.clear();
  }
}
