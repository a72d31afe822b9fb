import type { Tagged } from '../../kernel/tagged.ts';
import type { TenantPace, TenantPaceStore } from '../pacing/tenant-pace.ts';
import { newTenantPace } from '../pacing/tenant-pace.ts';

/** A retired pace is taken back into use before anything is sent by it. Otherwise it could be removed in the meantime. */
async function readInUse(paces: Paces, tenant: string): Promise<Tagged<TenantPace> | undefined> {
  for (;;) {
    const found = await paces.get(tenant);
    if (!found?.value.isRetired) return found;
    const { isRetired: _over, ...value } = found.value;
    const tag = await paces.put(value, found.tag);
    // If another writer was faster, it is gone or in use.
    if (tag !== undefined) return { value, tag };
  }
}

/** A tenant's pace as one dispatcher last read or wrote it. */
export interface PaceHolder {
  readonly value: TenantPace;
  read(): Promise<void>;
  /** Resolves to `false` if another dispatcher was faster. Read again before the next try. */
  write(next: TenantPace): Promise<boolean>;
}

type Paces = Pick<TenantPaceStore, 'get' | 'put'>;

/** How long an import counts as one that shares the pace, and when that is written again. */
const SHARER_MS = 15_000;
const SHARER_RENEW_MS = 7_000;

export function holdPace(paces: Paces, tenant: string): PaceHolder {
  let value = newTenantPace(tenant);
  let tag: string | undefined;
  return {
    get value() {
      return value;
    },
    async read() {
      const found = await readInUse(paces, tenant);
      value = found?.value ?? newTenantPace(tenant);
      tag = found?.tag;
    },
    async write(next) {
      const written = await paces.put(next, tag);
      if (written === undefined) return false;
      value = next;
      tag = written;
      return true;
    },
  };
}

/** The pace with this import among those that share it. `undefined` if it already counts for long enough. */
export function joinSharers(pace: TenantPace, importId: string, now: number): TenantPace | undefined {
  if ((pace.sharers[importId] ?? 0) - now > SHARER_RENEW_MS) return undefined;
  const others = Object.entries(pace.sharers).filter(([, until]) => until > now);
  return { ...pace, sharers: { ...Object.fromEntries(others), [importId]: now + SHARER_MS } };
}
