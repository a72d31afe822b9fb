import { setTimeout as pause } from 'node:timers/promises';
import { type Child, endChild } from './child.ts';

const RESTART_AFTER_MS = 500;
const RESTART_AFTER_MAX_MS = 10_000;
/** A process that ran this long did not die at startup, so the next restart need not wait longer. */
const HEALTHY_AFTER_MS = 10_000;

/** A child process that is restarted when it dies, until it is stopped. */
export interface SupervisedChild {
  /** 0 while it is stopped or restarting. */
  pid(): number;
  /** Whether it runs, and its start is over. */
  isReady(): boolean;
  kill(signal: NodeJS.Signals): void;
  /** Asks the child to end, and kills it if it takes too long. It stays stopped until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface SupervisedChildOptions {
  /** Starts the process. `ready` rejects when it cannot be used. */
  launch(): { child: Child; ready: Promise<void> };
  /** How long a shutdown may take before the child is killed. */
  stopMaxMs: number;
  /** Called after each automatic restart: the process id has changed. */
  onRestart?: (() => void) | undefined;
  /** Called when an automatic restart fails. It is tried again later. */
  onFailure?: ((error: unknown) => void) | undefined;
}

/** Resolves once the child is ready. Rejects, with nothing left running, when its first start fails. */
export async function superviseChild(options: SupervisedChildOptions): Promise<SupervisedChild> {
  let child: Child | undefined;
  let isReady = false;
  let isWanted = false;
  let failures = 0;

  async function launch(): Promise<void> {
    isWanted = true;
    const { child: next, ready } = options.launch();
    child = next;
    const ended = next.ended.then(() => {
      if (child !== next) return;
      child = undefined;
      isReady = false;
    });
    try {
      await ready;
    } catch (error) {
      await endChild(next, options.stopMaxMs);
      throw error;
    }
    isReady = child === next;
    const readyAt = Date.now();
    void ended.then(() => {
      if (Date.now() - readyAt > HEALTHY_AFTER_MS) failures = 0;
      return restart();
    });
  }

  async function restart(): Promise<void> {
    while (isWanted && !child) {
      await pause(Math.min(RESTART_AFTER_MAX_MS, RESTART_AFTER_MS * 2 ** failures));
      if (!isWanted || child) return;
      failures++;
      await launch().then(options.onRestart, options.onFailure);
    }
  }

  await launch();
  return {
    pid: () => child?.pid ?? 0,
    isReady: () => isReady,
    kill: (signal) => child?.kill(signal),
    async start() {
      if (!child) await launch();
    },
    async stop() {
      isWanted = false;
      if (child) await endChild(child, options.stopMaxMs);
    },
  };
}
