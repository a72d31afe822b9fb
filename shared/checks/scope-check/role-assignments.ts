import type { Connection } from '../../connections/connection.ts';
import type { RoleAssignment } from '../../connections/grants/scope-check.ts';
import type { AppToken } from '../../connections/tokens.ts';

/** The roles of RBAC for Applications that the app has. */
export interface RoleAssignments {
  /**
   * Resolves to `undefined` if the app may not read them, or if Microsoft does not answer: they only help to explain what
   * was seen.
   */
  read(connection: Connection, token: AppToken): Promise<RoleAssignment[] | undefined>;
}
