import type { Answer } from '../../shared/checks/answer.ts';
import type { MailboxJudgement } from '../../shared/directory/directory-entry.ts';
import type { TenantUser, TenantUsers } from '../../shared/directory/tenant-users.ts';

/** The users of a tenant in memory, as Graph gives them: page by page, and by what has changed. */
export interface SimulatedUsers extends TenantUsers {
  readonly users: Map<string, TenantUser>;
  /** What a mailbox answers. Without an entry it is shared. */
  readonly mailboxes: Map<string, MailboxJudgement>;
  /** IDs of users whom `get` does not find yet. */
  readonly hidden: Set<string>;
  /** IDs of mailboxes that do not answer. */
  readonly silent: Set<string>;
  pageSize: number;
  /** Names of the requests, in order. */
  readonly requests: string[];
  /** The answer to the next requests, whatever they ask. Used up one by one. */
  readonly nextAnswers: Extract<Answer<never>, { kind: 'refused' | 'lost' }>[];
  /** Called before each request. */
  before: (request: string) => void | Promise<void>;
  /** Adds or changes a user. */
  put(user: Partial<TenantUser> & { id: string }): void;
  remove(id: string): void;
  /** Older links do not work any more. */
  expireLinks(): void;
}

const expired = {
  kind: 'refused',
  refusal: { service: 'graph', status: 400, code: 'syncStateNotFound', message: 'expired' },
} as const;

export function simulatedUsers(): SimulatedUsers {
  const users = new Map<string, TenantUser>();
  const changes: { id: string; at: number }[] = [];
  let era = 0;
  let serial = 0;
  const link = (position: number) => `changes:${era}:${position}`;

  async function ask<T>(request: string, answer: () => T): Promise<Answer<T>> {
    await simulated.before(request);
    simulated.requests.push(request);
    return simulated.nextAnswers.shift() ?? { kind: 'accepted', value: answer() };
  }

  const simulated: SimulatedUsers = {
    users,
    mailboxes: new Map(),
    hidden: new Set(),
    silent: new Set(),
    pageSize: 3,
    requests: [],
    nextAnswers: [],
    before: () => undefined,
    put(user) {
      const known = users.get(user.id) ?? { isGuest: false, isEnabled: true, isLicensed: true };
      users.set(user.id, { ...known, ...user });
      changes.push({ id: user.id, at: ++serial });
    },
    remove(id) {
      users.delete(id);
      changes.push({ id, at: ++serial });
    },
    expireLinks: () => void era++,
    linkToChanges: () => ask('linkToChanges', () => link(serial)),
    list: (_access, from) =>
      ask('list', () => {
        const start = Number(from ?? 0);
        const end = start + simulated.pageSize;
        const all = [...users.values()];
        return { users: all.slice(start, end), ...(end < all.length && { next: String(end) }) };
      }),
    async changes(_access, from) {
      const [, ofEra, position] = from.split(':');
      if (Number(ofEra) !== era) return ask('changes', () => undefined).then(() => expired);
      return ask('changes', () => {
        const later = changes.filter(({ at }) => at > Number(position)).slice(0, simulated.pageSize);
        const end = later.at(-1)?.at ?? serial;
        const ids = [...new Set(later.map(({ id }) => id))];
        return {
          changed: ids.filter((id) => users.has(id)),
          removed: ids.filter((id) => !users.has(id)),
          link: link(end),
          isLast: end === serial,
        };
      });
    },
    get: (_access, ids) =>
      ask('get', () => ids.flatMap((id) => (simulated.hidden.has(id) ? [] : (users.get(id) ?? [])))),
    async judge(_access, ids) {
      const answers: Answer<MailboxJudgement>[] = [];
      const all = await ask('judge', () => undefined);
      for (const id of ids) {
        if (all.kind !== 'accepted') answers.push(all);
        else if (simulated.silent.has(id)) answers.push({ kind: 'lost' });
        else answers.push({ kind: 'accepted', value: simulated.mailboxes.get(id) ?? { kind: 'shared' } });
      }
      return answers;
    },
  };
  return simulated;
}
