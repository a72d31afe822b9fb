import type { SimulatedClock } from './simulated-clock.ts';

/** The life of a process that can be killed. */
export interface Lifetime {
  isAlive(): boolean;
  end(): void;
  /** The same call with a short delay. Once the process is killed, its calls never return. */
  whileAlive<Args extends unknown[], Result>(
    call: (...args: Args) => Promise<Result>,
  ): (...args: Args) => Promise<Result>;
}

export function createLifetime(clock: SimulatedClock, random: () => number): Lifetime {
  let alive = true;
  const never = () => new Promise<never>(() => {});
  return {
    isAlive: () => alive,
    end() {
      alive = false;
    },
    whileAlive:
      (call) =>
      async (...args) => {
        if (!alive) return never();
        await clock.sleep(random() * 20);
        if (!alive) return never();
        const result = await call(...args);
        return alive ? result : never();
      },
  };
}
