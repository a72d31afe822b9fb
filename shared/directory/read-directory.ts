import { randomUUID } from 'node:crypto';
import type { Connection } from '../connections/connection.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import type { AppToken, TokenAnswer, Tokens } from '../connections/tokens.ts';
import type { TenantPaceStore } from '../imports/pacing/tenant-pace.ts';
import { tenantKeyOf } from '../imports/tenant-key.ts';
import type { Clock } from '../kernel/clock.ts';
import { findingOf, isExpiredLink, needsFreshToken } from './directory-finding.ts';
import type { DirectoryFinding, DirectoryRead, DirectoryRecord } from './directory-record.ts';
import type { DirectoryStore } from './directory-store.ts';
import type { DirectoryMessage } from './messages.ts';
import { type AskingRead, asksMicrosoft, type StepDeps, type StepResult, takeStep, toPhase } from './read-steps.ts';
import { waitForImports } from './yield-to-imports.ts';

export interface ReadDirectoryDeps extends StepDeps {
  connections: Pick<ConnectionStore, 'get'>;
  directory: DirectoryStore;
  tokens: Pick<Tokens, 'get' | 'forget'>;
  tenantPaces: Pick<TenantPaceStore, 'get'>;
  /** Sends the message that makes `readDirectory` run. */
  sendDirectory: (message: DirectoryMessage, delayMs?: number) => Promise<void>;
  directoryLimits: {
    /** Longer than any request to Microsoft takes. */
    leaseMs: number;
    /** After this time another run goes on. */
    shiftMs: number;
    /** A read that gets no further for this time fails. */
    giveUpAfterMs: number;
    /** How long a directory is kept that nobody reads again. */
    keptMs: number;
  };
  sleep: (ms: number) => Promise<void>;
  clock: Clock;
}

/** A longer wait is a delayed message, and not a function that waits. */
const SLEEP_MAX_MS = 3_000;
const BACKOFF_BASE_MS = 1_000;
const BACKOFF_MAX_MS = 300_000;
const SPACING_MIN_MS = 250;
const SPACING_MAX_MS = 4_000;
const RESTARTS_MAX = 3;
/** After a lease has ended, how long its holder may still be about to go on. */
const LOST_AFTER_MS = 5_000;

/**
 * Reads the directory of a connection's tenant, step by step, until it is complete or this run's time is over. Each step
 * is stored, so that another run goes on where this one stopped or died.
 *
 * One reader works at a time: it holds a lease, and writes nothing once it has lost it. A message that finds another
 * reader ends. Messages may be lost: the sweep sends another one for each directory that nobody reads on.
 *
 * Rejects with a transient error if storage, the vault or Entra is unavailable. Then the message comes again.
 */
export async function readDirectory(
  deps: ReadDirectoryDeps,
  { customerId, connectionId }: Pick<DirectoryMessage, 'customerId' | 'connectionId'>,
): Promise<void> {
  const connection = (await deps.connections.get(customerId, connectionId))?.value;
  if (!connection) return purgeDirectory(deps, connectionId);
  const found = await deps.directory.get(connectionId);
  const now = deps.clock.now();
  if (!found?.value.read) return deps.directory.forget('reading', connectionId);
  if (found.value.lease && found.value.lease.until > now) return;
  const waitMs = (found.value.read.resumesAt?.getTime() ?? 0) - now.getTime();
  if (waitMs > SLEEP_MAX_MS) return deps.sendDirectory({ v: 1, customerId, connectionId }, waitMs);
  const reader = createReader(deps, connection, found.value);
  if (!(await reader.takeLease(found.tag))) return;
  try {
    await reader.run();
  } finally {
    // If this fails, the lease ends by itself.
    await reader.release().catch(() => undefined);
  }
}

/** Removes everything that is known of the directory of a connection. Repeatable. */
export async function purgeDirectory(
  { directory }: { directory: Pick<DirectoryStore, 'purge' | 'forget'> },
  connectionId: string,
): Promise<void> {
  await directory.purge(connectionId);
  await directory.forget('reading', connectionId);
  await directory.forget('kept', connectionId);
}

function createReader(deps: ReadDirectoryDeps, connection: Connection, found: DirectoryRecord) {
  const { customerId, id: connectionId } = connection;
  const { leaseMs, shiftMs, giveUpAfterMs, keptMs } = deps.directoryLimits;
  const holder = randomUUID();
  const startedAt = deps.clock.now().getTime();
  let record = found;
  /** Absent once the lease is lost or given back. */
  let tag: string | undefined;
  let notedUntil = 0;
  let hasFreshToken = false;
  /** A lease that its holder has not given back: it may have died halfway through a step. */
  let mayRepeat = found.lease !== undefined;

  const later = (ms: number) => new Date(deps.clock.now().getTime() + ms);

  /** Writes the record, with the changes of entries, and renews the lease. Resolves to whether the lease is still held. */
  async function commit(next: DirectoryRecord, changes: Parameters<DirectoryStore['commit']>[3] = []) {
    if (tag === undefined) return false;
    const renewed = { ...next, lease: { holder, until: later(leaseMs) } };
    tag = await deps.directory.commit({ ...record, lease: renewed.lease }, renewed, tag, changes);
    record = renewed;
    return tag !== undefined;
  }

  /** So that the sweep finds this read if the process dies, and not before. */
  async function noteReading(until: number): Promise<void> {
    if (until < notedUntil) return;
    notedUntil = until + leaseMs / 2;
    await deps.directory.note('reading', { customerId, connectionId, at: new Date(until + leaseMs + LOST_AFTER_MS) });
  }

  async function getToken(): Promise<TokenAnswer> {
    return deps.tokens.get(connection, 'graph');
  }

  async function takeOne(token: AppToken, read: AskingRead): Promise<StepResult> {
    const result = await takeStep(deps, { cloud: connection.cloud, token }, record, read, mayRepeat);
    if (result.kind !== 'refused' || hasFreshToken || !needsFreshToken(result.refusal)) return result;
    // The token may be older than the permission.
    hasFreshToken = true;
    deps.tokens.forget(connectionId);
    const fresh = await getToken();
    if (!fresh.granted) return { kind: 'refused', refusal: fresh.refusal };
    return takeStep(deps, { cloud: connection.cloud, token: fresh.value }, record, read, mayRepeat);
  }

  async function end(finding: DirectoryFinding | undefined): Promise<void> {
    const { read: _read, finding: _finding, ...rest } = record;
    await deps.directory.note('kept', { customerId, connectionId, at: later(keptMs) });
    const isOver = await commit(finding ? { ...rest, finding } : rest);
    if (isOver) await deps.directory.forget('reading', connectionId);
  }

  /** Waits here or, if it is long, by a delayed message. Resolves to whether this run goes on. */
  async function pause(read: DirectoryRead, ms: number): Promise<boolean> {
    if (ms <= SLEEP_MAX_MS) {
      if (ms > 0) await deps.sleep(ms);
      return true;
    }
    const resumesAt = later(ms);
    if (!(await commit({ ...record, read: { ...read, resumesAt } }))) return false;
    await noteReading(resumesAt.getTime());
    await release();
    await deps.sendDirectory({ v: 1, customerId, connectionId }, ms);
    return false;
  }

  async function handleLater(read: DirectoryRead, result: Extract<StepResult, { kind: 'later' }>): Promise<boolean> {
    const now = deps.clock.now();
    const tries = result.changes.length > 0 ? 1 : read.tries + 1;
    const stuckAt = tries === 1 ? now : (read.stuckAt ?? now);
    const waiting: DirectoryRead = {
      ...read,
      tries,
      stuckAt,
      // Once for each time that Microsoft throttles, however often it is asked in vain until it answers again.
      spacingMs: tries > 1 ? read.spacingMs : Math.min(SPACING_MAX_MS, Math.max(SPACING_MIN_MS, read.spacingMs * 2)),
    };
    if (!(await commit({ ...record, read: waiting }, result.changes))) return false;
    if (now.getTime() - stuckAt.getTime() > giveUpAfterMs) {
      await end({ cause: 'microsoft_unavailable', seenAt: now });
      return false;
    }
    const backoffMs = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.min(tries - 1, 10));
    return pause(waiting, Math.max(backoffMs, (result.retryAfterSeconds ?? 0) * 1000));
  }

  async function handleRefusal(read: DirectoryRead, result: Extract<StepResult, { kind: 'refused' }>) {
    const isOfLink = read.phase !== 'judge' && read.cursor !== undefined;
    if (isOfLink && isExpiredLink(result.refusal) && read.restarts < RESTARTS_MAX) {
      return commit({ ...record, read: { ...toPhase(read, 'begin', undefined), restarts: read.restarts + 1 } });
    }
    await end(findingOf(result.refusal, read.phase, deps.clock.now()));
    return false;
  }

  async function sweep(read: DirectoryRead): Promise<boolean> {
    if (tag === undefined) return false;
    record = { ...record, lease: { holder, until: later(leaseMs) } };
    const swept = await deps.directory.sweep(record, tag, read.cursor);
    tag = swept?.tag;
    if (!swept) return false;
    const { cursor } = swept;
    const next = cursor === undefined ? toPhase(read, 'changes', read.changesFrom) : { ...read, cursor };
    return commit({ ...record, read: next });
  }

  async function takeTurn(token: AppToken, read: AskingRead): Promise<boolean> {
    const result = await takeOne(token, read);
    switch (result.kind) {
      case 'later':
        return handleLater(read, result);
      case 'refused':
        return handleRefusal(read, result);
      case 'done': {
        const { read: _read, ...rest } = { ...record, ...result.change };
        if (!result.read) {
          if (!(await commit({ ...record, ...result.change }, result.changes))) return false;
          await end(undefined);
          return false;
        }
        const { resumesAt: _until, stuckAt: _since, ...answered } = result.read;
        const spacingMs = answered.spacingMs < SPACING_MIN_MS ? 0 : Math.floor(answered.spacingMs * 0.8);
        const next: DirectoryRead = { ...answered, tries: 0, spacingMs };
        if (!(await commit({ ...rest, read: next }, result.changes))) return false;
        return pause(next, spacingMs);
      }
    }
  }

  async function release(): Promise<void> {
    if (tag === undefined) return;
    const held = tag;
    tag = undefined;
    const { lease: _lease, ...rest } = record;
    await deps.directory.put(rest, held);
  }

  return {
    release,
    async takeLease(foundTag: string): Promise<boolean> {
      tag = foundTag;
      return commit(record);
    },
    async run(): Promise<void> {
      const waitMs = (record.read?.resumesAt?.getTime() ?? 0) - deps.clock.now().getTime();
      if (waitMs > 0) await deps.sleep(waitMs);
      for (;;) {
        const { read } = record;
        if (!read || tag === undefined) return;
        const now = deps.clock.now().getTime();
        await noteReading(now);
        if (now - startedAt > shiftMs) {
          await release();
          return deps.sendDirectory({ v: 1, customerId, connectionId });
        }
        if (!asksMicrosoft(read)) {
          if (!(await sweep(read))) return;
          continue;
        }
        const pace = await deps.tenantPaces.get(tenantKeyOf(connection));
        const yieldMs = waitForImports(pace?.value, read.phase, now);
        if (yieldMs > 0 && !(await pause(read, yieldMs))) return;
        const token = await getToken();
        if (!token.granted) return end(findingOf(token.refusal, read.phase, deps.clock.now()));
        if (!(await takeTurn(token.value, read))) return;
        mayRepeat = false;
      }
    },
  };
}
