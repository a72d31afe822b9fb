import type { Directory, Entry } from './directory.ts';

/**
 * Makes a predicate for the mailboxes that a scope or a policy names: by address, alias, UPN or id, by a glob such as
 * `*@contoso.example`, or by a group. A group stands for its direct members only, as in Exchange.
 */
export function createAddressSet(names: readonly string[], directory: Directory): (entry: Entry) => boolean {
  const exact = new Set<string>();
  const globs: RegExp[] = [];
  for (const name of names) {
    const lower = name.toLowerCase();
    if (lower.includes('*')) globs.push(new RegExp(`^${lower.split('*').map(escaped).join('.*')}$`));
    else exact.add(lower);
    const group = directory.byAddress(lower);
    if (group?.kind === 'group') for (const member of group.members) exact.add(member.toLowerCase());
  }
  return (entry) =>
    namesOf(entry).some((name) => exact.has(name)) ||
    globs.some((glob) => namesOf(entry).some((name) => glob.test(name)));
}

function namesOf(entry: Entry): string[] {
  return [entry.address, entry.upn, entry.id, ...entry.aliases].map((name) => name.toLowerCase());
}

const escaped = (text: string) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
