import type { Tagged } from '../../kernel/tagged.ts';

/**
 * - `free`: no limit is known, or the limit has not been met for a while.
 * - `hold`: Microsoft has just complained. Nothing is sent until a single probe passes.
 * - `paced`: messages are sent at the learnt rate.
 * - `down`: Microsoft does not answer. Only probes are sent, further and further apart.
 */
export const paceModes = ['free', 'hold', 'paced', 'down'] as const;
type PaceMode = (typeof paceModes)[number];

/**
 * How fast one app may ask one tenant. One record for all imports of that tenant, whatever their connection or customer.
 *
 * Times are milliseconds since the epoch, and 0 if there was none, so that they can be compared and added to.
 */
export interface TenantPace {
  /** Cloud, tenant and app, see `tenantKeyOf`. */
  tenant: string;
  mode: PaceMode;
  /** Requests in ten seconds, as Microsoft counts them, that it lets through as far as we know. */
  limit: number;
  /** Raised at each complaint. Answers to messages of older generations say nothing new. */
  generation: number;
  /** Since when the current pace has been kept. From then on time raises it step by step. */
  since: number;
  /** How long the pace stays as it is before more is tried. Doubles each time the limit is met where it was. */
  quietMs: number;
  holdUntil: number;
  /** Probes that were refused in this hold. */
  failedProbes: number;
  /** When the last complaint lowered the pace. */
  cutAt: number;
  /** Until then some refusals are expected at any pace, and only a majority of them is a complaint. */
  noisyUntil: number;
  /** Until then a little less is sent: rows that came back cost more than fresh ones. */
  easyUntil: number;
  /** The probe of this hold. */
  probe?: { importId: string; sentAt: number };
  /** In mode `down`: when the next probe is due, and how many there were. */
  nextProbeAt: number;
  probes: number;
  /** In modes `down` and `hold`: the mode to return to. */
  returnsTo: 'free' | 'paced';
  /** While the limit is learnt: what each import got through in the ten seconds before the complaint. */
  learning?: Record<string, number>;
  /** The imports that divide the pace among them, and until when each of them counts. */
  sharers: Record<string, number>;
  /** Re-verifications of the tenant, and until when each of them counts. */
  reverifiers?: Record<string, number>;
  /** While there are re-verifications: the imports that have rows to send, and until when each of them counts. */
  senders?: Record<string, number>;
  /** About to be removed, because nobody has used it for a long time. A dispatcher that wants to use it takes this back. */
  isRetired?: true;
}

/** Stores the pace of each tenant. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface TenantPaceStore {
  get(tenant: string): Promise<Tagged<TenantPace> | undefined>;
  /**
   * Without a tag the record is created, with one it replaces what was read. Resolves to the new tag, or to `undefined`
   * if another writer was faster.
   */
  put(pace: TenantPace, tag: string | undefined): Promise<string | undefined>;
  /** The paces of all tenants. For timers. */
  each(): AsyncIterable<Tagged<TenantPace>>;
  /** Does nothing if the pace has changed since `tag` was read. Resolves to whether it was removed. */
  remove(tenant: string, tag: string): Promise<boolean>;
}

export const QUIET_MS = 15_000;

export function newTenantPace(tenant: string): TenantPace {
  return {
    tenant,
    mode: 'free',
    limit: 0,
    generation: 0,
    since: 0,
    quietMs: QUIET_MS,
    holdUntil: 0,
    failedProbes: 0,
    cutAt: 0,
    noisyUntil: 0,
    easyUntil: 0,
    nextProbeAt: 0,
    probes: 0,
    returnsTo: 'free',
    sharers: {},
  };
}

/** The newest time in a pace: nothing in it says anything about later. */
export function newestTimeOf(pace: TenantPace): number {
  const {
    since,
    holdUntil,
    cutAt,
    noisyUntil,
    easyUntil,
    nextProbeAt,
    probe,
    sharers,
    reverifiers = {},
    senders = {},
  } = pace;
  const ofImports = [probe?.sentAt ?? 0, ...[sharers, reverifiers, senders].flatMap((notes) => Object.values(notes))];
  return Math.max(since, holdUntil, cutAt, noisyUntil, easyUntil, nextProbeAt, ...ofImports);
}

/** How many imports divide the pace now. */
export function countSharers({ sharers }: TenantPace, now: number): number {
  return Math.max(1, Object.values(sharers).filter((until) => until > now).length);
}
