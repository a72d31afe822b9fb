import { randomUUID } from 'node:crypto';
import { type Directory, type Entry, isDirectoryUser } from './directory.ts';
import { presentUser } from './graph/directory-wire.ts';

/** How a user has changed: it was removed, it is new, or some of its properties are different. */
export type UserChange = { id: string; version: number } & (
  | { kind: 'removed' }
  | { kind: 'added' }
  | { kind: 'updated'; properties: ReadonlySet<string> }
);

/** The changes of a tenant's users. Each version of the tenant has the next number. */
export class UserChanges {
  /** Tells this history from that of another tenant, or of another run. */
  readonly id = randomUUID();
  readonly #byId = new Map<string, UserChange>();
  #version = 0;

  get version(): number {
    return this.#version;
  }

  record(before: Directory, after: Directory): void {
    this.#version += 1;
    for (const id of new Set(after.idsThatMayDiffer(before))) {
      const change = changeOf(userOf(before, id), userOf(after, id));
      if (!change) continue;
      const earlier = this.#byId.get(id);
      // Also what a client has not seen yet: a user that is new stays new, and updates add up.
      const merged =
        change.kind === 'updated' && earlier?.kind === 'added'
          ? { kind: 'added' as const }
          : change.kind === 'updated' && earlier?.kind === 'updated'
            ? { kind: change.kind, properties: new Set([...earlier.properties, ...change.properties]) }
            : change;
      // Moves to the end, so that the order is that of the versions.
      this.#byId.delete(id);
      this.#byId.set(id, { ...merged, id, version: this.#version });
    }
  }

  /** The last change of each user after one version, up to another. */
  between(after: number, upTo: number): UserChange[] {
    return [...this.#byId.values()].filter(({ version }) => version > after && version <= upTo);
  }
}

function userOf(directory: Directory, id: string): Entry | undefined {
  const entry = directory.byId(id);
  return entry && isDirectoryUser(entry) ? entry : undefined;
}

type Difference = { kind: 'removed' } | { kind: 'added' } | { kind: 'updated'; properties: ReadonlySet<string> };

function changeOf(before: Entry | undefined, after: Entry | undefined): Difference | undefined {
  if (!after) return before && { kind: 'removed' };
  if (!before) return { kind: 'added' };
  const old = presentUser(before);
  const changed = Object.entries(presentUser(after))
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(old[name]))
    .map(([name]) => name);
  return changed.length > 0 ? { kind: 'updated', properties: new Set(changed) } : undefined;
}
