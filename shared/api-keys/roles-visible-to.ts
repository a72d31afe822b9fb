import type { Actor, Role } from '../kernel/actor.ts';

/** Which keys of a customer somebody may see and revoke: an operator all (`undefined`), others not an operator's. */
export function rolesVisibleTo(actor: Actor): readonly Role[] | undefined {
  return actor.role === 'operator' ? undefined : ['owner', 'member', 'viewer'];
}
