import type { Connection } from './connection.ts';
import type { AppToken } from './tokens.ts';

/** A tenant's own name and domains, as far as the app may read them. */
export interface Organizations {
  /** Resolves to `undefined` when the app lacks the permission, or Microsoft does not tell just now. */
  read(
    connection: Connection,
    token: AppToken,
  ): Promise<{ displayName: string; verifiedDomains: string[] } | undefined>;
}
