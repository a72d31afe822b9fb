import type { Actor, Role } from '../kernel/actor.ts';

/**
 * The roles of the keys that an actor may see and revoke. `undefined` means all: only operators see operators' keys.
 */
export function rolesVisibleTo(actor: Actor): readonly Role[] | undefined {
  return actor.role === 'operator' ? undefined : ['owner', 'member', 'viewer'];
}
