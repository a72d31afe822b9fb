import { classify, isWaitCause } from '../causes/classify.ts';
import type { Refusal } from '../causes/refusal.ts';
import type { Answer } from '../checks/answer.ts';
import { type DirectoryEntry, entryOf, judged, type MailboxJudgement } from './directory-entry.ts';
import type { DirectoryRead, DirectoryRecord } from './directory-record.ts';
import type { DirectoryStore, EntryChange } from './directory-store.ts';
import {
  type DirectoryAccess,
  JUDGED_TOGETHER_MAX,
  type TenantUser,
  type TenantUsers,
  USERS_TOGETHER_MAX,
} from './tenant-users.ts';

export interface StepDeps {
  tenantUsers: TenantUsers;
  directory: Pick<DirectoryStore, 'getMany' | 'listDue' | 'cursorAfter'>;
  newRound: () => string;
  clock: { now(): Date };
}

/** What one step has led to. */
export type StepResult =
  /** `read` is absent when the read is complete. Missing fields of the record stay as they are. */
  | { kind: 'done'; read?: DirectoryRead; change?: Partial<DirectoryRecord>; changes: EntryChange[] }
  | { kind: 'refused'; refusal: Refusal }
  /** Microsoft wants us to wait, or did not answer. What it did answer counts. */
  | { kind: 'later'; retryAfterSeconds?: number; changes: EntryChange[] };

/** A mailbox that was refused is asked again by a refresh after this time: a new one may need a while to appear. */
const REFUSED_FOR_MS = 86_400_000;
/** How often users are asked for again who have changed and are not found. */
const MISSING_TRIES = 3;
/** How long the same mailboxes are asked in vain before others are. */
const STUCK_MS = 600_000;
/** How often that happens in one read. If more mailboxes do not answer, Microsoft is unavailable. */
const SKIPS_MAX = 6;

/** A phase that asks Microsoft. */
export type AskingRead = DirectoryRead & { phase: Exclude<DirectoryRead['phase'], 'sweep'> };

export const asksMicrosoft = (read: DirectoryRead): read is AskingRead => read.phase !== 'sweep';

/**
 * Takes the next step of a read that asks Microsoft. Everything that it does can be done twice.
 *
 * @param isRepeated whether another reader may have written some of this step before it died
 */
export function takeStep(
  deps: StepDeps,
  access: DirectoryAccess,
  record: DirectoryRecord,
  read: AskingRead,
  isRepeated: boolean,
): Promise<StepResult> {
  switch (read.phase) {
    case 'begin':
      return begin(deps, access, read);
    case 'list':
      return list(deps, access, record, read, isRepeated);
    case 'changes':
      return applyChanges(deps, access, record, read);
    case 'judge':
      return judge(deps, access, record, read);
  }
}

/** The full read gets a round of its own, by which the sweep tells what it did not have. */
async function begin(deps: StepDeps, access: DirectoryAccess, read: DirectoryRead): Promise<StepResult> {
  const answer = await deps.tenantUsers.linkToChanges(access);
  if (answer.kind !== 'accepted') return notAnswered(answer);
  const next = { ...toPhase(read, 'list', undefined), changesFrom: answer.value };
  return { kind: 'done', read: next, change: { round: deps.newRound() }, changes: [] };
}

async function list(
  deps: StepDeps,
  access: DirectoryAccess,
  { connectionId, round }: DirectoryRecord,
  read: DirectoryRead,
  isRepeated: boolean,
): Promise<StepResult> {
  const answer = await deps.tenantUsers.list(access, read.cursor);
  if (answer.kind !== 'accepted') return notAnswered(answer);
  const { users, next } = answer.value;
  // A user may have got another address since a reader that died wrote the entry. The sweep would keep both, because both
  // belong to this round.
  const ids = isRepeated ? users.map(({ id }) => id) : [];
  const addresses = addressesOf(await deps.directory.getMany(connectionId, ids));
  const changes = users.flatMap((user): EntryChange[] => {
    const entry = entryOf(user, round);
    return entry ? [toPut(entry, addresses.get(user.id))] : [];
  });
  return { kind: 'done', read: next ? { ...read, cursor: next } : toPhase(read, 'sweep', undefined), changes };
}

/** Microsoft tells who has changed, and not always how. So the users are read. */
async function applyChanges(
  deps: StepDeps,
  access: DirectoryAccess,
  record: DirectoryRecord,
  read: DirectoryRead,
): Promise<StepResult> {
  const answer = await deps.tenantUsers.changes(access, read.cursor ?? '');
  if (answer.kind !== 'accepted') return notAnswered(answer);
  const { changed, removed, link, isLast } = answer.value;
  const users: TenantUser[] = [];
  for (let from = 0; from < changed.length; from += USERS_TOGETHER_MAX) {
    const found = await deps.tenantUsers.get(access, changed.slice(from, from + USERS_TOGETHER_MAX));
    if (found.kind !== 'accepted') return notAnswered(found);
    users.push(...found.value);
  }
  const addresses = addressesOf(await deps.directory.getMany(record.connectionId, [...changed, ...removed]));
  const entries = new Map(users.map((user) => [user.id, entryOf(user, record.round)]));
  // A new user may not be everywhere in Microsoft's directory yet. Later changes would not tell of it again.
  const isMissing = changed.some((id) => !entries.has(id) && !addresses.has(id));
  if (isMissing && read.tries < MISSING_TRIES) return { kind: 'later', changes: [] };
  const changes = [...new Set([...changed, ...removed])].flatMap((id): EntryChange[] => {
    const entry = entries.get(id);
    const previousAddress = addresses.get(id);
    if (entry) return [toPut(entry, previousAddress)];
    // It was removed, or it has no address any more.
    return previousAddress === undefined ? [] : [{ op: 'remove', id, address: previousAddress }];
  });
  if (!isLast) return { kind: 'done', read: { ...read, cursor: link }, changes };
  const { changesFrom: _from, ...rest } = toPhase(read, 'judge', undefined);
  return { kind: 'done', read: rest, change: { changesLink: link, readAt: deps.clock.now() }, changes };
}

const addressesOf = (entries: readonly DirectoryEntry[]) => new Map(entries.map(({ id, address }) => [id, address]));

const toPut = (entry: DirectoryEntry, previousAddress: string | undefined): EntryChange => {
  return { op: 'put', entry, ...(previousAddress !== undefined && { previousAddress }) };
};

async function judge(
  deps: StepDeps,
  access: DirectoryAccess,
  { connectionId }: DirectoryRecord,
  read: DirectoryRead,
): Promise<StepResult> {
  const now = deps.clock.now();
  const request = { limit: JUDGED_TOGETHER_MAX, ...(read.cursor !== undefined && { cursor: read.cursor }) };
  const due = await deps.directory.listDue(connectionId, request, new Date(now.getTime() - REFUSED_FOR_MS));
  const ids = due.items.map(({ id }) => id);
  const answers = ids.length > 0 ? await deps.tenantUsers.judge(access, ids) : [];
  const changes = due.items.flatMap((entry, index): EntryChange[] => {
    const judgement = judgementOf(answers[index]);
    return judgement === undefined ? [] : [{ op: 'put', entry: judged(entry, judgement, now) }];
  });
  const refusal = answers.map((answer) => (answer.kind === 'refused' ? answer.refusal : undefined)).find(Boolean);
  if (changes.length < due.items.length) {
    const seconds = answers.map((answer) => (answer.kind === 'refused' ? (answer.refusal.retryAfterSeconds ?? 0) : 0));
    // Something that no waiting helps against concerns every mailbox.
    if (refusal && !isWaitRefusal(refusal) && changes.length === 0) return { kind: 'refused', refusal };
    const retryAfterSeconds = Math.max(0, ...seconds);
    if (changes.length > 0 || !isStuck(read, now)) {
      return { kind: 'later', changes, ...(retryAfterSeconds > 0 && { retryAfterSeconds }) };
    }
    // They stay as they are, so that others have their turn. The next read asks them again.
    if (due.cursor === undefined) return { kind: 'done', changes };
    return { kind: 'done', read: { ...read, cursor: due.cursor, skips: (read.skips ?? 0) + 1 }, changes };
  }
  if (due.cursor === undefined) return { kind: 'done', changes };
  return { kind: 'done', read: { ...read, cursor: due.cursor }, changes };
}

/** Whether the same mailboxes were asked in vain for so long that the reason may be theirs. */
function isStuck({ stuckAt, skips = 0 }: DirectoryRead, now: Date): boolean {
  return stuckAt !== undefined && now.getTime() - stuckAt.getTime() > STUCK_MS && skips < SKIPS_MAX;
}

function judgementOf(answer: Answer<MailboxJudgement> | undefined): MailboxJudgement | undefined {
  return answer?.kind === 'accepted' ? answer.value : undefined;
}

const isWaitRefusal = (refusal: Refusal): boolean => isWaitCause(classify(refusal));

function notAnswered(answer: Exclude<Answer<unknown>, { kind: 'accepted' }>): StepResult {
  if (answer.kind === 'lost') return { kind: 'later', changes: [] };
  const { refusal } = answer;
  if (!isWaitRefusal(refusal)) return { kind: 'refused', refusal };
  const { retryAfterSeconds } = refusal;
  return { kind: 'later', changes: [], ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
}

export function toPhase(read: DirectoryRead, phase: DirectoryRead['phase'], cursor: string | undefined): DirectoryRead {
  const { cursor: _cursor, ...rest } = read;
  return { ...rest, phase, ...(cursor !== undefined && { cursor }) };
}
