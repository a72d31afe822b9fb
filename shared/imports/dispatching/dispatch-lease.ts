import type { Tagged } from '../../kernel/tagged.ts';
import type { Import } from '../import.ts';
import type { DispatchDeps } from './dispatch-deps.ts';

/** What the holder of the lease knows. */
export interface Turn {
  holder: string;
  record: Import;
  tag: string;
  window: number;
  /** Lines below this may have been sent by a dispatcher that died before it could say so. */
  sentUpTo: number;
}

let turns = 0;

/** Takes the lease, or renews it once half of it is over; `undefined` when somebody else was quicker. */
export async function takeTurn(
  deps: DispatchDeps,
  found: Tagged<Import>,
  turn: Turn | undefined,
): Promise<Turn | undefined> {
  const now = deps.clock.now().getTime();
  const { lease } = found.value;
  const isMine = turn !== undefined && lease?.holder === turn.holder;
  if (isMine && turn && lease.until.getTime() - now > deps.dispatching.leaseMs / 2) {
    return { ...turn, record: found.value, tag: found.tag };
  }
  const holder = isMine && turn ? turn.holder : `${deps.dispatching.holder}.${++turns}`;
  const sentUpTo = isMine && turn ? turn.sentUpTo : (lease?.to ?? 0);
  const record: Import = {
    ...found.value,
    lease: { holder, until: new Date(now + deps.dispatching.leaseMs), to: Math.max(found.value.cursor, sentUpTo) },
  };
  const tag = await deps.imports.update(record, found.tag);
  if (tag === undefined) return undefined;
  return { holder, record, tag, sentUpTo, window: turn?.window ?? (await windowOf(deps)) };
}

/** An equal share of what all imports together may have waiting, so that a large one cannot keep a small one out. */
async function windowOf(deps: DispatchDeps): Promise<number> {
  const { windowTotal, windowMin, windowMax } = deps.dispatching;
  const running = Math.max(1, (await deps.imports.listOpen()).length);
  return Math.min(windowMax, Math.max(windowMin, Math.floor(windowTotal / running)));
}

/** Says in the lease how far this step may send, before it sends. */
export async function announce(
  deps: DispatchDeps,
  turn: Turn,
  to: number,
): Promise<{ record: Import; tag: string } | undefined> {
  const until = new Date(deps.clock.now().getTime() + deps.dispatching.leaseMs);
  const lease = { holder: turn.holder, until, to: Math.max(to, turn.sentUpTo) };
  const record: Import = { ...turn.record, lease };
  const tag = await deps.imports.update(record, turn.tag);
  return tag === undefined ? undefined : { record, tag };
}

/** Ends the shift: the next message finds the lease free. */
export async function handOver(deps: DispatchDeps, turn: Turn): Promise<void> {
  await release(deps, turn, {});
  await deps.importQueues.sendDispatch({ v: 1, customerId: turn.record.customerId, importId: turn.record.id });
}

/** Leaves an alarm clock, unless one is set for that time or earlier. The sweep looks in too, should it be lost. */
export async function sleepUntil(deps: DispatchDeps, turn: Turn, until: Date): Promise<void> {
  const now = deps.clock.now();
  const set = turn.record.wakeUpAt;
  const isSet = set !== undefined && set > now && set <= until;
  await release(deps, turn, isSet ? {} : { wakeUpAt: until });
  if (isSet) return;
  const { customerId, id: importId } = turn.record;
  await deps.importQueues.sendDispatch({ v: 1, customerId, importId }, Math.max(0, until.getTime() - now.getTime()));
}

/** Gives the lease back, if it is still ours: what was sent is in the cursor, so nobody needs to send it again. */
async function release(deps: DispatchDeps, turn: Turn, change: Partial<Import>): Promise<void> {
  const found = await deps.imports.get(turn.record.customerId, turn.record.id);
  if (found?.value.lease?.holder !== turn.holder) return;
  const { lease: _mine, ...rest } = found.value;
  await deps.imports.update({ ...rest, ...change }, found.tag);
}
