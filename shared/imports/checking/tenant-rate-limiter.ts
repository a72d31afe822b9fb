/** Decides when a check may begin, so that Microsoft is not asked faster than a tenant bears, and no tenant slows another. */
export interface TenantRateLimiter {
  /**
   * Runs `check` when this process and the tenant have room. Resolves to `ran: false` when its turn has not come in time
   * or the tenant must not be asked for a while: nothing was asked, and the message is to be put back for so long.
   */
  run<T>(
    tenant: string,
    check: () => Promise<T>,
    readSignal: (value: T) => TenantSignal,
  ): Promise<{ ran: true; value: T } | { ran: false; seconds: number }>;
  /** How many checks of the tenant may run at once by now. */
  limitOf(tenant: string): number;
}

/** What a check's outcome says about the tenant as a whole. */
export type TenantSignal =
  | { kind: 'ok' }
  /** `isWhole`: nothing at all was answered; otherwise some of what was asked for. */
  | { kind: 'throttled'; isWhole: boolean; seconds?: number }
  /** No answer in time, or a broken one: a slow tenant must not hold every place. */
  | { kind: 'unanswered' };

interface Options {
  processMax: number;
  /** How many at once to begin with; more as long as nothing complains. */
  tenantInitial: number;
  tenantMax: number;
  /** How long a check may wait for its turn here; longer waits belong on the queue. */
  waitMs: number;
  now: () => number;
  random?: () => number;
}

type Turn = { mine: true } | { mine: false; seconds: number };

interface TenantState {
  limit: number;
  running: number;
  waiting: Set<(turn: Turn) => void>;
  /** Until the first complaint each fine answer makes room for one more; afterwards each round of them does. */
  isNew: boolean;
  fine: number;
  throttledInARow: number;
  decreasedAt: number;
  heldUntil: number;
}

/** So many checks in a row that were throttled as a whole: the tenant is past what fewer at once would mend. */
const HOLD_AFTER = 5;
/** So many may wait here whatever the limit, so that places do not stand empty between deliveries. */
const WAITING_MIN = 8;
const HOLD_MAX_SECONDS = 60;
const TENANTS_MAX = 5_000;

/**
 * Additive increase, multiplicative decrease for each tenant, within what the process may do at all. Tenants that wait for
 * the process's places are served in turn.
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
        fine: 0,
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

  const restOf = (state: TenantState) => {
    const rest = (state.heldUntil - options.now()) / 1000;
    return rest * (1 + random() / 4);
  };
  // Spread over some seconds: those who are sent back together must not come back together.
  const soon = () => 4 + 8 * random();

  function takeTurn(state: TenantState): Promise<Turn> | Turn {
    if (state.heldUntil > options.now()) return { mine: false, seconds: restOf(state) };
    if (running < options.processMax && state.running < state.limit && state.waiting.size === 0) {
      running++;
      state.running++;
      return { mine: true };
    }
    // One that has been complained about may not keep the process's messages waiting for it.
    if (!state.isNew && state.waiting.size >= Math.max(WAITING_MIN, 2 * state.limit))
      return { mine: false, seconds: soon() };
    return new Promise<Turn>((resolve) => {
      const settle = (turn: Turn) => {
        clearTimeout(timer);
        state.waiting.delete(settle);
        resolve(turn);
      };
      const timer = setTimeout(() => settle({ mine: false, seconds: soon() }), options.waitMs);
      state.waiting.add(settle);
    });
  }

  /** Gives free places to those who wait, one tenant after the other. */
  function serve(): void {
    for (let isServed = true; isServed && running < options.processMax; ) {
      isServed = false;
      for (const [tenant, state] of [...tenants]) {
        const [next] = state.waiting;
        if (!next || state.running >= state.limit || running >= options.processMax) continue;
        // Whoever was served goes to the end.
        tenants.delete(tenant);
        tenants.set(tenant, state);
        running++;
        state.running++;
        isServed = true;
        next({ mine: true });
      }
    }
  }

  function applySignal(state: TenantState, signal: TenantSignal, startedAt: number): void {
    if (signal.kind === 'ok') {
      state.throttledInARow = 0;
      state.fine++;
      if (state.limit < options.tenantMax && (state.isNew || state.fine >= state.limit)) {
        state.limit++;
        state.fine = 0;
      }
      return;
    }
    if (signal.kind === 'throttled') {
      state.throttledInARow = signal.isWhole ? state.throttledInARow + 1 : 0;
      if (state.throttledInARow >= HOLD_AFTER) hold(state, signal.seconds);
    }
    // Checks that began before the last decrease tell what is known already.
    if (startedAt < state.decreasedAt) return;
    const least = signal.kind === 'unanswered' ? Math.min(2, state.limit) : 1;
    state.limit = Math.max(least, Math.floor(state.limit / 2));
    state.isNew = false;
    state.fine = 0;
    state.decreasedAt = options.now();
  }

  function hold(state: TenantState, seconds: number | undefined): void {
    const ceiling = Math.min(HOLD_MAX_SECONDS, 2 ** Math.min(state.throttledInARow - HOLD_AFTER + 1, 10));
    const heldFor = seconds ?? ceiling * (0.5 + random() / 2);
    state.heldUntil = Math.max(state.heldUntil, options.now() + heldFor * 1000);
    for (const settle of state.waiting) settle({ mine: false, seconds: restOf(state) });
  }

  return {
    async run(tenant, check, readSignal) {
      const state = stateOf(tenant);
      const turn = await takeTurn(state);
      if (!turn.mine) return { ran: false, seconds: turn.seconds };
      const startedAt = options.now();
      try {
        const value = await check();
        applySignal(state, readSignal(value), startedAt);
        return { ran: true, value };
      } finally {
        running--;
        state.running--;
        serve();
      }
    },
    limitOf: (tenant) => tenants.get(tenant)?.limit ?? options.tenantInitial,
  };
}
