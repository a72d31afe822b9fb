import type { Simulator } from '../../local/microsoft365/simulator.ts';
import { type CloudEndpoints, createClouds } from '../../shared/adapters/entra/clouds.ts';
import type { Cloud } from '../../shared/connections/connection.ts';

/** The endpoints of a cloud, with the simulator in place of its servers. */
export function cloudPlayedBy({ loginUrl, graphUrl, imap, smtp }: Simulator, cloud: Cloud): CloudEndpoints {
  const real = createClouds(undefined)(cloud);
  if (!real) throw new Error(`${cloud} has no endpoints.`);
  const { graphResource, exchangeResource } = createClouds({ loginUrl, graphUrl, imap, smtp })('simulator') ?? real;
  return { ...real, loginUrl, graphUrl, imap, smtp, graphResource, exchangeResource };
}
