import type { Muster } from '../../clients/typescript/src/index.ts';
import { explanation } from './cause-details.ts';
import type { ConnectionCase } from './connections.ts';
import type { Screen } from './screen.ts';
import { styled } from './terminal-text.ts';

/** The secrets of all simulated apps stay valid until then, except for those that a case makes expire. */
export const SECRET_EXPIRES_AT = '2035-12-31T00:00:00Z';

/**
 * Registers a connection that cannot work, tests it, and shows what Muster says about it. Some causes only show in a
 * mailbox, so the test looks into `defaultMailbox`. Resolves to what Muster got wrong.
 */
export async function showBrokenConnection(
  muster: Muster,
  { cause, tenant, clientId, clientSecret }: ConnectionCase,
  defaultMailbox: string | undefined,
  screen: Screen,
): Promise<string[]> {
  const connection = await muster.connections.create({
    name: `For ${cause}`,
    tenant,
    clientId,
    clientSecret,
    ...(defaultMailbox !== undefined && { defaultMailbox }),
    clientSecretExpiresAt: SECRET_EXPIRES_AT,
    cloud: 'simulator',
  });
  const { verdict, steps } = await muster.connections.test(connection.id);
  const found = steps.find((step) => step.cause !== undefined);
  screen.printDetails(`  ${styled('cyan', found?.cause ?? 'no cause')} (${verdict})\n${explanation(found ?? {})}`);
  return found?.cause === cause
    ? []
    : [`connection test: expected the cause ${cause}, Muster says ${found?.cause ?? 'none'}`];
}
