/**
 * Decides when a check may begin, so that Microsoft is not asked faster than the tenant allows, and no tenant slows
 * another one down.
 */
export interface TenantRateLimiter {
  /**
   * Runs `check` once this process and the tenant have room. Resolves to `ran: false` if there is no room in time, or
   * if the tenant must not be asked for a while. Nothing was asked then, and the message should stay hidden for
   * `seconds`.
   */
  run<T>(
    tenant: string,
    check: () => Promise<T>,
    readSignal: (value: T) => TenantSignal,
  ): Promise<{ ran: true; value: T } | { ran: false; seconds: number }>;
  /** How many checks of the tenant may run at the same time now. */
  limitOf(tenant: string): number;
}

/** What the result of a check says about the tenant as a whole. */
export type TenantSignal =
  | { kind: 'ok' }
  /** `isWhole`: every question was throttled. Otherwise some were answered. */
  | { kind: 'throttled'; isWhole: boolean; seconds?: number }
  /** No answer in time, or an unreadable one. A slow tenant must not occupy every place. */
  | { kind: 'unanswered' };

interface Options {
  /** Checks that may run in this process at the same time. */
  processMax: number;
  /** Checks of one tenant at the same time to begin with. The number rises while no check is throttled. */
  tenantInitial: number;
  tenantMax: number;
  /** How long a check may wait here. Longer waits belong on the queue. */
  waitMs: number;
  now: () => number;
  random?: () => number;
}

type Turn = { granted: true } | { granted: false; seconds: number };

interface TenantState {
  limit: number;
  running: number;
  waiting: Set<(turn: Turn) => void>;
  /** Until the first throttling, each good answer raises the limit by one. Afterwards each full round of them does. */
  isNew: boolean;
  /** Good answers in the current round. */
  ok: number;
  throttledInARow: number;
  decreasedAt: number;
  heldUntil: number;
}

/** After this many checks in a row that were throttled as a whole, asking less is not enough: the tenant is held. */
const HOLD_AFTER = 5;
/** This many may always wait, so that places do not stay empty between deliveries. */
const WAITING_MIN = 8;
const HOLD_MAX_SECONDS = 60;
const TENANTS_MAX = 5_000;

/**
 * Additive increase, multiplicative decrease for each tenant (as TCP does), within what the process may run in total.
 * Tenants that wait for a place take turns.
 */
export function createTenantRateLimiter(options: Options): TenantRateLimiter {
  const random = options.random ?? Math.random;
  const tenants = new Map<string, TenantState>();
  let running = 0;

  function stateOf(tenant: string): TenantState {
    let state = tenants.get(tenant);
    if (!state) {
      state = {
        limit: options.tenantInitial,
        running: 0,
        waiting: new Set(),
        isNew: true,
        ok: 0,
        throttledInARow: 0,
        decreasedAt: Number.NEGATIVE_INFINITY,
        heldUntil: 0,
      };
      if (tenants.size >= TENANTS_MAX) forgetIdle();
      tenants.set(tenant, state);
    }
    return state;
  }

  function forgetIdle(): void {
    for (const [tenant, state] of tenants) {
      if (state.running === 0 && state.waiting.size === 0 && state.heldUntil <= options.now()) tenants.delete(tenant);
    }
  }

  const secondsHeld = (state: TenantState) => ((state.heldUntil - options.now()) / 1000) * (1 + random() / 4);
  // Spread over some seconds, so that checks that are sent back together do not return together.
  const shortDelay = () => 4 + 8 * random();

  function takeTurn(state: TenantState): Promise<Turn> | Turn {
    if (state.heldUntil > options.now()) return { granted: false, seconds: secondsHeld(state) };
    if (running < options.processMax && state.running < state.limit && state.waiting.size === 0) {
      running++;
      state.running++;
      return { granted: true };
    }
    // A tenant that was throttled must not fill the process with messages that wait for it.
    if (!state.isNew && state.waiting.size >= Math.max(WAITING_MIN, 2 * state.limit)) {
      return { granted: false, seconds: shortDelay() };
    }
    return new Promise<Turn>((resolve) => {
      const settle = (turn: Turn) => {
        clearTimeout(timer);
        state.waiting.delete(settle);
        resolve(turn);
      };
      const timer = setTimeout(() => settle({ granted: false, seconds: shortDelay() }), options.waitMs);
      state.waiting.add(settle);
    });
  }

  /** Grants free places to waiting checks, one tenant after the other. */
  function grantFreePlaces(): void {
    for (let hasGranted = true; hasGranted && running < options.processMax; ) {
      hasGranted = false;
      for (const [tenant, state] of [...tenants]) {
        const [next] = state.waiting;
        if (!next || state.running >= state.limit || running >= options.processMax) continue;
        // Move the tenant to the end of the line.
        tenants.delete(tenant);
        tenants.set(tenant, state);
        running++;
        state.running++;
        hasGranted = true;
        next({ granted: true });
      }
    }
  }

  function applySignal(state: TenantState, signal: TenantSignal, startedAt: number): void {
    if (signal.kind === 'ok') {
      state.throttledInARow = 0;
      state.ok++;
      if (state.limit < options.tenantMax && (state.isNew || state.ok >= state.limit)) {
        state.limit++;
        state.ok = 0;
      }
      return;
    }
    if (signal.kind === 'throttled') {
      state.throttledInARow = signal.isWhole ? state.throttledInARow + 1 : 0;
      if (state.throttledInARow >= HOLD_AFTER) hold(state, signal.seconds);
    }
    // A check that began before the last decrease says nothing new.
    if (startedAt < state.decreasedAt) return;
    const min = signal.kind === 'unanswered' ? Math.min(2, state.limit) : 1;
    state.limit = Math.max(min, Math.floor(state.limit / 2));
    state.isNew = false;
    state.ok = 0;
    state.decreasedAt = options.now();
  }

  function hold(state: TenantState, seconds: number | undefined): void {
    const ceiling = Math.min(HOLD_MAX_SECONDS, 2 ** Math.min(state.throttledInARow - HOLD_AFTER + 1, 10));
    const heldFor = seconds ?? ceiling * (0.5 + random() / 2);
    state.heldUntil = Math.max(state.heldUntil, options.now() + heldFor * 1000);
    for (const settle of state.waiting) settle({ granted: false, seconds: secondsHeld(state) });
  }

  return {
    async run(tenant, check, readSignal) {
      const state = stateOf(tenant);
      const turn = await takeTurn(state);
      if (!turn.granted) return { ran: false, seconds: turn.seconds };
      const startedAt = options.now();
      try {
        const value = await check();
        applySignal(state, readSignal(value), startedAt);
        return { ran: true, value };
      } finally {
        running--;
        state.running--;
        grantFreePlaces();
      }
    },
    limitOf: (tenant) => tenants.get(tenant)?.limit ?? options.tenantInitial,
  };
}
