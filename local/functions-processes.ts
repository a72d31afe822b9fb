import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import type { FunctionGroup } from './functions-host/function-groups.ts';
import { type FunctionsProcess, startFunctions } from './functions-process.ts';
import { freePort } from './ports.ts';
import { type RoundRobin, startRoundRobin } from './round-robin.ts';

/** The functions processes of a stack. They share nothing but storage, like the instances of Flex Consumption. */
export interface FunctionsProcesses {
  /** The first one serves HTTP. */
  readonly all: readonly FunctionsProcess[];
  /** The id of the first process. */
  pid(): number;
  /** Signals every process. */
  kill(signal: NodeJS.Signals): void;
  /** Stops every process. With several of them, HTTP requests are answered 503 until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Stops everything, and frees the port. */
  close(): Promise<void>;
}

export interface FunctionsProcessesOptions {
  /** The port of HTTP, in front of all processes. */
  port: number;
  /** How many processes run each function. */
  processes: number;
  /** Whether each group of functions has processes of its own. */
  isApart: boolean;
  env: Record<string, string | undefined>;
  /** The same seed gives each process the same name after a restart. */
  seed: string;
  onLine: (source: string, line: string) => void;
  onRestart?: () => void;
}

/** Each start needs a core for half a second. More in parallel would only make each of them slower. */
const STARTS_AT_ONCE = 4;

/**
 * Starts the processes. With several of them for HTTP, a proxy at `port` distributes the requests.
 *
 * Apart, a function that Flex Consumption would run on one instance has one process: each timer, and each poison queue.
 *
 * @throws StartError
 */
export async function startFunctionsProcesses(options: FunctionsProcessesOptions): Promise<FunctionsProcesses> {
  const { processes: count, isApart } = options;
  const ports = new Set<number>();
  const started: FunctionsProcess[] = [];
  const httpProcesses: FunctionsProcess[] = [];
  let front: RoundRobin | undefined;

  async function distinctPort(): Promise<number> {
    for (;;) {
      const port = await freePort();
      // Another process may have got this port, and not use it yet.
      if (ports.has(port)) continue;
      ports.add(port);
      return port;
    }
  }

  async function startOne(group: FunctionGroup | undefined, number: number): Promise<FunctionsProcess> {
    const isHttp = !group || group.name === 'http';
    const port = count === 1 ? options.port : await distinctPort();
    const name = nameOf(group, number, count);
    const process = await startFunctions({
      port: isHttp ? port : 0,
      env: {
        ...options.env,
        ...(group && { MUSTER_HOST_GROUP: group.name }),
        MUSTER_HOST_INSTANCE_ID: guidOf(`${options.seed} ${name}`),
      },
      onLine: (line) => options.onLine(name, line),
      ...(options.onRestart && { onRestart: options.onRestart }),
    });
    started.push(process);
    if (isHttp) httpProcesses.push(process);
    return process;
  }

  async function close(): Promise<void> {
    await Promise.all(started.map((process) => process.stop()));
    await front?.close();
  }

  const inTurn = pLimit(STARTS_AT_ONCE);
  const all: FunctionsProcess[] = [];
  try {
    if (count > 1) {
      front = await startRoundRobin(options.port, () =>
        httpProcesses.filter((process) => process.isReady()).map(({ port }) => port),
      );
    }
    // Alone, because it says which groups there are. If the app cannot run, it also says so only once.
    const first = await startOne(isApart ? { name: 'http', trigger: 'http' } : undefined, 1);
    const groups = isApart ? first.groups() : [undefined];
    const rest = groups.flatMap((group) => {
      const isFirst = !group || group.name === 'http';
      const numbers = Array.from({ length: instancesOf(group, count) }, (_, index) => index + 1);
      return numbers.slice(isFirst ? 1 : 0).map((number) => ({ group, number }));
    });
    const results = await Promise.allSettled(rest.map(({ group, number }) => inTurn(() => startOne(group, number))));
    all.push(first);
    for (const result of results) {
      if (result.status === 'rejected') throw result.reason;
      all.push(result.value);
    }
  } catch (error) {
    await close();
    throw error;
  }

  return {
    all,
    pid: () => all[0]?.pid() ?? 0,
    kill(signal) {
      for (const process of all) process.kill(signal);
    },
    async stop() {
      await Promise.all(all.map((process) => process.stop()));
    },
    async start() {
      await Promise.all(all.map((process) => inTurn(() => process.start())));
    },
    close,
  };
}

/** Poison queues are nearly always empty, and a timer runs on one instance at a time. */
function instancesOf(group: FunctionGroup | undefined, count: number): number {
  return group?.trigger === 'timer' || group?.name.endsWith('-poison') ? 1 : count;
}

function nameOf(group: FunctionGroup | undefined, number: number, count: number): string {
  const parts = ['functions', group?.name.replace('function:', ''), count > 1 ? number : undefined];
  return parts.filter((part) => part !== undefined).join(' ');
}

function guidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
