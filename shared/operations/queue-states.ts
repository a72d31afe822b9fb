import type { Clock } from '../kernel/clock.ts';
import { poisonQueueOf, queueNames } from '../kernel/storage-names.ts';
import type { PoisonArchive } from './poison-archive.ts';
import type { LookAtQueue } from './queue-look.ts';

/** A queue as operators see it. */
export interface QueueState {
  name: string;
  depth: number;
  /** Poison messages that nobody has decided about, with those that are about to be archived. */
  poisonDepth: number;
  oldestAgeSeconds?: number;
}

export interface QueueStateDeps {
  lookAtQueue: LookAtQueue;
  poisonArchive: Pick<PoisonArchive, 'count'>;
  clock: Clock;
}

/** Poison messages are counted up to here. Each thousand of them costs one storage request. */
const POISON_COUNTED_MAX = 8_000;

export function readQueueStates(deps: QueueStateDeps): Promise<QueueState[]> {
  return Promise.all(queueNames.map((name) => readQueueState(deps, name)));
}

async function readQueueState(deps: QueueStateDeps, name: string): Promise<QueueState> {
  const [look, poison, archived] = await Promise.all([
    deps.lookAtQueue(name),
    deps.lookAtQueue(poisonQueueOf(name)),
    deps.poisonArchive.count(name, POISON_COUNTED_MAX),
  ]);
  const { depth, oldestSince } = look;
  const ageMs = oldestSince && Math.max(0, deps.clock.now().getTime() - oldestSince.getTime());
  return {
    name,
    depth,
    poisonDepth: archived + poison.depth,
    ...(ageMs !== undefined && { oldestAgeSeconds: Math.floor(ageMs / 1000) }),
  };
}
