import { TableServiceClient } from '@azure/data-tables';
import { Secret } from '../../shared/kernel/secret.ts';
import { startAzurite } from './azurite.ts';

export interface AzuriteTables {
  connectionString: Secret;
  stop(): Promise<void>;
}

/** Starts Azurite's table service with these tables. */
export async function startAzuriteTables(tables: readonly string[]): Promise<AzuriteTables> {
  const { connectionString, stop } = await startAzurite('table');
  const service = TableServiceClient.fromConnectionString(connectionString, { allowInsecureConnection: true });
  await Promise.all(tables.map((name) => service.createTable(name)));
  return { connectionString: new Secret(connectionString), stop };
}
