/** Decides when a check may begin, so that Microsoft is not asked faster than a tenant bears, and no tenant slows another. */
export interface Pace {
  /**
   * Runs `check` when this process and the tenant have room. Resolves to `ran: false` when its turn has not come in time
   * or the tenant must not be asked for a while: nothing was asked, and the message is to be put back for so long.
   */
  run<T>(
    tenant: string,
    check: () => Promise<T>,
    readSignal: (value: T) => PaceSignal,
  ): Promise<{ ran: true; value: T } | { ran: false; seconds: number }>;
  /** How many checks of the tenant may run at once by now. */
  limitOf(tenant: string): number;
}

/** What a check's outcome says about the tenant as a whole. */
export type PaceSignal =
  | { kind: 'fine' }
  /** `isWhole`: nothing at all was answered; otherwise some of what was asked for. */
  | { kind: 'throttled'; isWhole: boolean; seconds?: number }
  /** No answer in time, or a broken one: a slow tenant must not hold every place. */
  | { kind: 'unwell' };

interface Options {
  processMost: number;
  /** How many at once to begin with; more as long as nothing complains. */
  tenantFirst: number;
  tenantMost: number;
  /** How long a check may wait for its turn here; longer waits belong on the queue. */
  waitMs: number;
  now: () => number;
  random?: () => number;
}

type Turn = { mine: true } | { mine: false; seconds: number };

interface Lane {
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
const WAITING_LEAST = 8;
const HOLD_MOST_SECONDS = 60;
const LANES_MOST = 5_000;

/**
 * Additive increase, multiplicative decrease for each tenant, within what the process may do at all. Tenants that wait for
 * the process's places are served in turn.
 */
export function createPace(options: Options): Pace {
  const random = options.random ?? Math.random;
  const lanes = new Map<string, Lane>();
  let running = 0;

  function laneOf(tenant: string): Lane {
    let lane = lanes.get(tenant);
    if (!lane) {
      lane = {
        limit: options.tenantFirst,
        running: 0,
        waiting: new Set(),
        isNew: true,
        fine: 0,
        throttledInARow: 0,
        decreasedAt: Number.NEGATIVE_INFINITY,
        heldUntil: 0,
      };
      if (lanes.size >= LANES_MOST) forgetIdle();
      lanes.set(tenant, lane);
    }
    return lane;
  }

  function forgetIdle(): void {
    for (const [tenant, lane] of lanes) {
      if (lane.running === 0 && lane.waiting.size === 0 && lane.heldUntil <= options.now()) lanes.delete(tenant);
    }
  }

  const restOf = (lane: Lane) => {
    const rest = (lane.heldUntil - options.now()) / 1000;
    return rest * (1 + random() / 4);
  };
  // Spread over some seconds: those who are sent back together must not come back together.
  const soon = () => 4 + 8 * random();

  function takeTurn(lane: Lane): Promise<Turn> | Turn {
    if (lane.heldUntil > options.now()) return { mine: false, seconds: restOf(lane) };
    if (running < options.processMost && lane.running < lane.limit && lane.waiting.size === 0) {
      running++;
      lane.running++;
      return { mine: true };
    }
    // One that has been complained about may not keep the process's messages waiting for it.
    if (!lane.isNew && lane.waiting.size >= Math.max(WAITING_LEAST, 2 * lane.limit))
      return { mine: false, seconds: soon() };
    return new Promise<Turn>((resolve) => {
      const settle = (turn: Turn) => {
        clearTimeout(timer);
        lane.waiting.delete(settle);
        resolve(turn);
      };
      const timer = setTimeout(() => settle({ mine: false, seconds: soon() }), options.waitMs);
      lane.waiting.add(settle);
    });
  }

  /** Gives free places to those who wait, one tenant after the other. */
  function serve(): void {
    for (let isServed = true; isServed && running < options.processMost; ) {
      isServed = false;
      for (const [tenant, lane] of [...lanes]) {
        const [next] = lane.waiting;
        if (!next || lane.running >= lane.limit || running >= options.processMost) continue;
        // Whoever was served goes to the end.
        lanes.delete(tenant);
        lanes.set(tenant, lane);
        running++;
        lane.running++;
        isServed = true;
        next({ mine: true });
      }
    }
  }

  function heed(lane: Lane, signal: PaceSignal, startedAt: number): void {
    if (signal.kind === 'fine') {
      lane.throttledInARow = 0;
      lane.fine++;
      if (lane.limit < options.tenantMost && (lane.isNew || lane.fine >= lane.limit)) {
        lane.limit++;
        lane.fine = 0;
      }
      return;
    }
    if (signal.kind === 'throttled') {
      lane.throttledInARow = signal.isWhole ? lane.throttledInARow + 1 : 0;
      if (lane.throttledInARow >= HOLD_AFTER) hold(lane, signal.seconds);
    }
    // Checks that began before the last decrease tell what is known already.
    if (startedAt < lane.decreasedAt) return;
    const least = signal.kind === 'unwell' ? Math.min(2, lane.limit) : 1;
    lane.limit = Math.max(least, Math.floor(lane.limit / 2));
    lane.isNew = false;
    lane.fine = 0;
    lane.decreasedAt = options.now();
  }

  function hold(lane: Lane, seconds: number | undefined): void {
    const ceiling = Math.min(HOLD_MOST_SECONDS, 2 ** Math.min(lane.throttledInARow - HOLD_AFTER + 1, 10));
    const heldFor = seconds ?? ceiling * (0.5 + random() / 2);
    lane.heldUntil = Math.max(lane.heldUntil, options.now() + heldFor * 1000);
    for (const settle of lane.waiting) settle({ mine: false, seconds: restOf(lane) });
  }

  return {
    async run(tenant, check, readSignal) {
      const lane = laneOf(tenant);
      const turn = await takeTurn(lane);
      if (!turn.mine) return { ran: false, seconds: turn.seconds };
      const startedAt = options.now();
      try {
        const value = await check();
        heed(lane, readSignal(value), startedAt);
        return { ran: true, value };
      } finally {
        running--;
        lane.running--;
        serve();
      }
    },
    limitOf: (tenant) => lanes.get(tenant)?.limit ?? options.tenantFirst,
  };
}
