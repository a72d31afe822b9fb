import type { Connection } from '../connection.ts';
import type { AppToken } from '../tokens.ts';

/** Reads a tenant's display name and verified domains. */
export interface Organizations {
  /** Resolves to `undefined` if the app lacks the permission or Microsoft does not answer. Never rejects. */
  read(
    connection: Connection,
    token: AppToken,
  ): Promise<{ displayName: string; verifiedDomains: string[] } | undefined>;
}
