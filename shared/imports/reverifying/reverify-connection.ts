import type { Connection } from '../../connections/connection.ts';
import { DomainError } from '../../kernel/errors.ts';
import { createRepeatableIds } from '../../kernel/ids.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import { type Import, isEnded } from '../import.ts';
import type { ImportQueues } from '../import-queues.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type StartActionDeps, startAction } from '../starting/start-action.ts';
import { cancelIfStuck } from './cancel-stuck.ts';
import { chooseDue, findDue } from './choose-due.ts';
import { isAhead, type ReverifyTimes } from './due-at.ts';
import type { OpenWork } from './open-work.ts';
import type { ReverifyWalk, ReverifyWalks } from './reverify-walk.ts';

export interface ReverifyConnectionDeps extends Omit<StartActionDeps, 'newId' | 'importQueues'> {
  importQueues: ImportQueues;
  /** Tests a connection now. Its status follows. */
  testConnection: (customerId: string, connectionId: string) => Promise<unknown>;
  ledger: Pick<Ledger, 'findMailboxes'>;
  reverifyWalks: ReverifyWalks;
  reverifyTimes: ReverifyTimes;
}

export interface Reverified {
  /** Mailboxes whose check was started. */
  started: number;
  /** Mailboxes that are due and need a slot, and have to wait for one. */
  withoutSlot: number;
}

/** Walks through a connection in the time in which a failed mailbox is due again: one an hour, with a day. */
const WALKS_PER_INTERVAL = 24;
/** The share of the open imports that a customer may have. The others stay free, so that an import is never kept out. */
const OPEN_SHARE = 1 / 2;

const nothing: Reverified = { started: 0, withoutSlot: 0 };

/**
 * Takes the next step through the mailboxes of a connection, and starts one check of those that are due. Does nothing
 * while an import runs in the tenant, while the last re-verification has not ended, or if the connection is not ready. One
 * that is failing is tested again once a day. A re-verification that paused with a finding is cancelled.
 *
 * Repeatable: two processes that take the same step start the same action, because its ID follows from the step.
 */
export async function reverifyConnection(
  deps: ReverifyConnectionDeps,
  connection: Connection,
  work: OpenWork,
): Promise<Reverified> {
  const open = work.reverificationOf(connection.id);
  if (open) await cancelIfStuck(deps, open);
  if (connection.status === 'failing') await testAgain(deps, connection);
  if (open || connection.status !== 'ready' || work.isBusy(connection)) return nothing;
  // Nothing is read for a connection whose turn cannot come now.
  if (work.countOf(connection.customerId) >= openMax(deps)) return nothing;
  const now = deps.clock.now();
  const found = await deps.reverifyWalks.get(connection.id);
  const walk = nextStep(found?.value, now, deps.reverifyTimes);
  if (!walk || (await isUnderWay(deps, connection.customerId, found?.value.actionId))) return nothing;
  const { due, cursor } = await findDue(deps, connection, walk.cursor, now);
  const { chosen, withoutSlot, hasPostponed } = chooseDue(deps, connection, due);
  // Its ID must not follow from this process's clock.
  const stepAt = found?.value.movedAt ?? connection.createdAt;
  const started = chosen.length > 0 ? await start(deps, connection, chosen, walk.serial, stepAt) : undefined;
  if (chosen.length > 0 && !started) return nothing;
  const next: ReverifyWalk = {
    serial: walk.serial,
    startedAt: walk.startedAt,
    movedAt: now,
    ...(started && { actionId: started.id }),
    ...((walk.hasPostponed || hasPostponed) && { hasPostponed: true }),
    ...(cursor !== undefined && { cursor }),
  };
  await deps.reverifyWalks.put(connection.id, next, found?.tag);
  if (!found) await removeIfGone(deps, connection);
  return { started: chosen.length, withoutSlot };
}

/** What goes on in the tenant was read before, and another process may have taken a step since. */
async function isUnderWay(
  { imports }: ReverifyConnectionDeps,
  customerId: string,
  actionId: string | undefined,
): Promise<boolean> {
  const last = actionId === undefined ? undefined : await imports.get(customerId, actionId);
  return last !== undefined && !isEnded(last.value.status);
}

/** A connection that somebody has fixed in Microsoft 365 is `ready` again without anyone asking for a test. */
async function testAgain(
  deps: ReverifyConnectionDeps,
  { customerId, id, finding, lastTest }: Connection,
): Promise<void> {
  const askedAt = new Date(Math.max(finding?.seenAt.getTime() ?? 0, lastTest?.testedAt.getTime() ?? 0));
  const now = deps.clock.now();
  const isLongAgo = now.getTime() - askedAt.getTime() >= deps.reverifyTimes.reverifyFailedAfterMs;
  if (isLongAgo || isAhead(askedAt, now)) await deps.testConnection(customerId, id);
}

function nextStep(
  last: ReverifyWalk | undefined,
  now: Date,
  { reverifyFailedAfterMs }: ReverifyTimes,
): ReverifyWalk | undefined {
  const serial = (last?.serial ?? 0) + 1;
  if (last?.cursor !== undefined) return { ...last, serial };
  const isFinished = last !== undefined && !last.hasPostponed && !isAhead(last.startedAt, now);
  const sinceMs = now.getTime() - (last?.startedAt.getTime() ?? 0);
  if (isFinished && sinceMs < reverifyFailedAfterMs / WALKS_PER_INTERVAL) return undefined;
  return { serial, startedAt: now, movedAt: now };
}

function openMax({ quotas }: Pick<ReverifyConnectionDeps, 'quotas'>): number {
  return Math.max(1, Math.floor(quotas.runningImportsMax * OPEN_SHARE));
}

/** Resolves to `undefined` if the customer has too much going on, or its slots were taken in the meantime. */
async function start(
  deps: ReverifyConnectionDeps,
  connection: Connection,
  chosen: readonly Mailbox[],
  serial: number,
  stepAt: Date,
): Promise<Import | undefined> {
  const newId = createRepeatableIds(`reverify\n${connection.id}\n${serial}`, stepAt);
  const quotas = { ...deps.quotas, runningImportsMax: openMax(deps) };
  try {
    const how = { isReverification: true } as const;
    return await startAction({ ...deps, quotas, newId }, connection, 'check', selected(chosen), how);
  } catch (error) {
    if (error instanceof DomainError && (error.code === 'quota_reached' || error.code === 'slot_limit_reached')) {
      return undefined;
    }
    throw error;
  }
}

async function* selected(mailboxes: readonly Mailbox[]) {
  for (const { address, slotClaimedBy } of mailboxes) yield { address, takesSlot: slotClaimedBy === undefined };
}

/** The first record of a walk may have been written after the connection was purged. */
async function removeIfGone(deps: ReverifyConnectionDeps, { customerId, id }: Connection): Promise<void> {
  if (!(await deps.connections.get(customerId, id))) await deps.sendDeletion({ customerId, connectionId: id });
}
