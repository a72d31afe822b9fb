import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Child, endChild, startChild } from './child.ts';
import { StartError } from './start-error.ts';

const HOST = fileURLToPath(new URL('./functions-host/main.ts', import.meta.url));
const START_MOST_MS = 30_000;
/** The host gives what is in flight 20 seconds. */
const STOP_PATIENCE_MS = 25_000;
const RESTART_AFTER_MS = 500;
const RESTART_AT_MOST_MS = 10_000;
/** An app that ran for so long did not die of its start; the next one need not wait. */
const HEALTHY_AFTER_MS = 10_000;

/** The functions host with the built app in it; started again when it dies, as Azure would. */
export interface FunctionsProcess {
  readonly port: number;
  pid(): number;
  kill(signal: NodeJS.Signals): void;
  /** Drains and stays away until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Resolves once the app answers. Rejects with the host's own sentence when the app cannot be run. */
export async function startFunctions(options: {
  port: number;
  env: Record<string, string | undefined>;
  onLine: (line: string) => void;
  /** Called when it has come back by itself, with another process id. */
  onRestart?: () => void;
}): Promise<FunctionsProcess> {
  let child: Child | undefined;
  let isWanted = false;
  let failures = 0;

  async function launch(): Promise<void> {
    isWanted = true;
    let started: () => void = () => undefined;
    let complaint = '';
    const isUp = new Promise<void>((resolve) => {
      started = resolve;
    });
    const next = startChild([HOST], { ...options.env, FUNCTIONS_HTTP_PORT: String(options.port) }, (line) => {
      if (line.startsWith('{"event":"host started"')) started();
      if (line.includes('cannot be run')) complaint = line.replace(/^critical host: /, '');
      options.onLine(line);
    });
    child = next;
    const died = next.ended.then(() => {
      if (child === next) child = undefined;
      return 'died' as const;
    });
    const result = await Promise.race([isUp, died, pause(START_MOST_MS, 'late' as const, { ref: false })]);
    if (result === 'late') await endChild(next, 1_000);
    if (result !== undefined) throw new StartError(complaint || 'The functions host ended while it was starting.');
    const startedAt = Date.now();
    void died.then(() => {
      if (Date.now() - startedAt > HEALTHY_AFTER_MS) failures = 0;
      return comeBack();
    });
  }

  async function comeBack(): Promise<void> {
    while (isWanted && !child) {
      await pause(Math.min(RESTART_AT_MOST_MS, RESTART_AFTER_MS * 2 ** failures));
      if (!isWanted || child) return;
      failures++;
      await launch().then(
        () => options.onRestart?.(),
        (error) => options.onLine(String(error)),
      );
    }
  }

  await launch();
  return {
    port: options.port,
    pid: () => child?.pid ?? 0,
    kill: (signal) => child?.kill(signal),
    async start() {
      if (!child) await launch();
    },
    async stop() {
      isWanted = false;
      if (child) await endChild(child, STOP_PATIENCE_MS);
    },
  };
}
