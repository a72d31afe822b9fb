/**
 * Decides in this process when a check may begin: at most so many at the same time, tenants in turn. A tenant that has
 * just throttled or not answered is closed for a moment, and messages that arrive in that time are given back unasked.
 *
 * How fast a tenant is asked is not decided here. The dispatcher decides that for all processes.
 */
export interface TenantGate {
  /** Runs `check` once there is room. Resolves to `ran: false` if the tenant is closed to this message. */
  run<T>(
    tenant: string,
    message: GatedMessage,
    check: () => Promise<T>,
    readSignal: (value: T) => TenantSignal,
  ): Promise<{ ran: true; value: T } | ({ ran: false } & Closed)>;
  /** How many checks run now. */
  running(): number;
}

export interface GatedMessage {
  /** The generation of the tenant's pace that it was sent in. A newer one passes a closed gate. */
  generation: number;
  /** Sent to find out whether the tenant answers again. Passes a closed gate. */
  isProbe: boolean;
  /** The tenant refuses some requests at any pace. A refusal of this message does not close the gate. */
  expectsRefusals: boolean;
}

/** What the result of a check says about the tenant as a whole. */
export type TenantSignal =
  | { kind: 'answered' }
  | { kind: 'throttled'; seconds?: number }
  /** Nothing was answered, and nothing suggests that only this mailbox is concerned. */
  | { kind: 'unanswered' }
  /** Only this mailbox is concerned, or nothing was asked. */
  | { kind: 'none' };

interface Closed {
  why: 'throttled' | 'unanswered';
  reopensInMs: number;
}

interface Waiter {
  message: GatedMessage;
  settle(closed: Closed | undefined): void;
}

interface Tenant {
  waiting: Waiter[];
  running: number;
  closedUntil: number;
  /** Messages of this and older generations are refused while the gate is closed. */
  closedGeneration: number;
  closedBecause: Closed['why'];
  unansweredInARow: number;
}

const THROTTLED_MIN_MS = 1_000;
const THROTTLED_MAX_MS = 10_000;
const UNANSWERED_MS = 5_000;
const UNANSWERED_MAX = 3;
const TENANTS_MAX = 5_000;

export function createTenantGate(options: { checksMax: number; now: () => number }): TenantGate {
  const tenants = new Map<string, Tenant>();
  let running = 0;

  function stateOf(name: string): Tenant {
    const found = tenants.get(name);
    if (found) return found;
    if (tenants.size >= TENANTS_MAX) forgetIdle();
    const fresh: Tenant = {
      waiting: [],
      running: 0,
      closedUntil: 0,
      closedGeneration: 0,
      closedBecause: 'throttled',
      unansweredInARow: 0,
    };
    tenants.set(name, fresh);
    return fresh;
  }

  function forgetIdle(): void {
    for (const [name, tenant] of tenants) {
      if (tenant.running + tenant.waiting.length === 0 && tenant.closedUntil <= options.now()) tenants.delete(name);
    }
  }

  function closedTo(tenant: Tenant, { generation, isProbe }: GatedMessage): Closed | undefined {
    const reopensInMs = tenant.closedUntil - options.now();
    if (reopensInMs <= 0 || isProbe || generation > tenant.closedGeneration) return undefined;
    return { why: tenant.closedBecause, reopensInMs };
  }

  async function enter(tenant: Tenant, message: GatedMessage): Promise<Closed | undefined> {
    const closed = closedTo(tenant, message);
    if (closed) return closed;
    if (running < options.checksMax && tenant.waiting.length === 0) {
      running++;
      tenant.running++;
      return undefined;
    }
    return new Promise((settle) => tenant.waiting.push({ message, settle }));
  }

  /** Grants free places to waiting checks, one tenant after the other. */
  function grantFreePlaces(): void {
    for (let hasGranted = true; hasGranted && running < options.checksMax; ) {
      hasGranted = false;
      for (const [name, tenant] of [...tenants]) {
        const next = running < options.checksMax ? tenant.waiting.shift() : undefined;
        if (!next) continue;
        // Move the tenant to the end of the line.
        tenants.delete(name);
        tenants.set(name, tenant);
        running++;
        tenant.running++;
        hasGranted = true;
        next.settle(undefined);
      }
    }
  }

  function close(tenant: Tenant, why: Closed['why'], ms: number, generation: number): void {
    tenant.closedBecause = why;
    tenant.closedUntil = Math.max(tenant.closedUntil, options.now() + ms);
    tenant.closedGeneration = Math.max(tenant.closedGeneration, generation);
    tenant.waiting = tenant.waiting.filter(({ message, settle }) => {
      const closed = closedTo(tenant, message);
      if (closed) settle(closed);
      return closed === undefined;
    });
  }

  function applySignal(tenant: Tenant, signal: TenantSignal, { generation, expectsRefusals }: GatedMessage): void {
    switch (signal.kind) {
      case 'throttled': {
        if (expectsRefusals) return;
        const ms = Math.min(THROTTLED_MAX_MS, Math.max(THROTTLED_MIN_MS, (signal.seconds ?? 0) * 1000));
        close(tenant, 'throttled', ms, generation);
        return;
      }
      case 'unanswered':
        if (++tenant.unansweredInARow >= UNANSWERED_MAX) close(tenant, 'unanswered', UNANSWERED_MS, generation);
        return;
      case 'answered':
        tenant.unansweredInARow = 0;
        return;
      case 'none':
    }
  }

  return {
    running: () => running,
    async run(name, message, check, readSignal) {
      const tenant = stateOf(name);
      const closed = await enter(tenant, message);
      if (closed) return { ran: false, ...closed };
      try {
        const value = await check();
        applySignal(tenant, readSignal(value), message);
        return { ran: true, value };
      } finally {
        running--;
        tenant.running--;
        grantFreePlaces();
      }
    },
  };
}
