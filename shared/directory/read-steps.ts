import { classify, isWaitCause } from '../causes/classify.ts';
import type { Refusal } from '../causes/refusal.ts';
import type { Answer } from '../checks/answer.ts';
import { entryOf, judged, type MailboxJudgement } from './directory-entry.ts';
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
  /** Removes what does not belong to the round, and does that again until nothing is left. Then `next` comes. */
  | { kind: 'sweep'; next: DirectoryRead }
  | { kind: 'refused'; refusal: Refusal }
  /** Microsoft wants us to wait, or did not answer. What it did answer counts. */
  | { kind: 'later'; retryAfterSeconds?: number; changes: EntryChange[] };

/** A mailbox that was refused is asked again by a refresh after this time: a new one may need a while to appear. */
const REFUSED_FOR_MS = 86_400_000;

/** Takes the next step of a read. Everything that it does can be done twice. */
export function takeStep(
  deps: StepDeps,
  access: DirectoryAccess,
  record: DirectoryRecord,
  read: DirectoryRead,
): Promise<StepResult> {
  switch (read.phase) {
    case 'begin':
      return begin(deps, access, read);
    case 'list':
      return list(deps, access, record, read);
    case 'sweep':
      return Promise.resolve({ kind: 'sweep', next: toPhase(read, 'changes', read.changesFrom) });
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
  { round }: DirectoryRecord,
  read: DirectoryRead,
): Promise<StepResult> {
  const answer = await deps.tenantUsers.list(access, read.cursor);
  if (answer.kind !== 'accepted') return notAnswered(answer);
  const { users, next } = answer.value;
  const changes = users.flatMap((user): EntryChange[] => {
    const entry = entryOf(user, round);
    return entry ? [{ op: 'put', entry }] : [];
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
  const known = await deps.directory.getMany(record.connectionId, [...changed, ...removed]);
  const addresses = new Map(known.map(({ id, address }) => [id, address]));
  const entries = new Map(users.map((user) => [user.id, entryOf(user, record.round)]));
  const changes = [...new Set([...changed, ...removed])].flatMap((id): EntryChange[] => {
    const entry = entries.get(id);
    const previousAddress = addresses.get(id);
    if (entry) return [{ op: 'put', entry, ...(previousAddress !== undefined && { previousAddress }) }];
    // It was removed, or it has no address any more.
    return previousAddress === undefined ? [] : [{ op: 'remove', id, address: previousAddress }];
  });
  if (!isLast) return { kind: 'done', read: { ...read, cursor: link }, changes };
  const { changesFrom: _from, ...rest } = toPhase(read, 'judge', undefined);
  return { kind: 'done', read: rest, change: { changesLink: link, readAt: deps.clock.now() }, changes };
}

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
    return { kind: 'later', changes, ...(retryAfterSeconds > 0 && { retryAfterSeconds }) };
  }
  if (due.cursor === undefined) return { kind: 'done', changes };
  return { kind: 'done', read: { ...read, cursor: due.cursor }, changes };
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
