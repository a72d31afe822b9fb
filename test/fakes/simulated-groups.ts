import type { Answer } from '../../shared/checks/answer.ts';
import type { MemberPage, TenantGroups } from '../../shared/directory/tenant-groups.ts';

/** The groups of a tenant in memory. */
export interface SimulatedGroups extends TenantGroups {
  /** By address or ID: the pages of the members. */
  readonly groups: Map<string, { id: string; name: string; pages: MemberPage[] }>;
  /** The answer to the next requests. Used up one by one. */
  readonly nextAnswers: Extract<Answer<never>, { kind: 'refused' | 'lost' }>[];
  requests: number;
  /** Called before each page. */
  before: () => void;
}

export function simulatedGroups(): SimulatedGroups {
  const simulated: SimulatedGroups = {
    groups: new Map(),
    nextAnswers: [],
    requests: 0,
    before: () => undefined,
    async find(_access, name) {
      simulated.requests++;
      const found = simulated.groups.get(name);
      return (
        simulated.nextAnswers.shift() ?? { kind: 'accepted', value: found ? { id: found.id, name: found.name } : null }
      );
    },
    async members(_access, groupId, link) {
      simulated.before();
      simulated.requests++;
      const refusal = simulated.nextAnswers.shift();
      if (refusal) return refusal;
      const pages = [...simulated.groups.values()].find(({ id }) => id === groupId)?.pages ?? [];
      const at = Number(link ?? 0);
      const page = pages[at] ?? { users: [], groups: [], others: 0 };
      return { kind: 'accepted', value: { ...page, ...(at + 1 < pages.length && { next: String(at + 1) }) } };
    },
  };
  return simulated;
}
