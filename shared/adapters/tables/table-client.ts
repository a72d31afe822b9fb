import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import { TableClient } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';
import type { Secret } from '../../kernel/secret.ts';
import type { tables } from '../../kernel/storage-names.ts';

export type TableAccess =
  | { kind: 'connectionString'; connectionString: Secret }
  | { kind: 'identity'; tableUrl: string; credential: TokenCredential };

export type TableName = (typeof tables)[keyof typeof tables];

export interface TableClientTuning {
  /**
   * How often the SDK resends by itself. 0 for writers that must know whether a conflict is their own: an answer that
   * was lost after the commit comes back as one when it is sent again.
   */
  maxRetries?: number;
}

/** Short enough that a caller hears of an outage while it still waits. */
const TIMEOUT_MS = 10_000;

/** Reaches the tables of one account. An outage shows within seconds: retries are few and short. */
export function createTableClients(access: TableAccess) {
  return (name: TableName, { maxRetries = 1 }: TableClientTuning = {}): TableClient => {
    const options = {
      retryOptions: { maxRetries, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 },
      additionalPolicies: [{ policy: timeout, position: 'perRetry' as const }],
    };
    if (access.kind === 'identity') return new TableClient(access.tableUrl, name, access.credential, options);
    const connectionString = access.connectionString.reveal();
    // Only an account on this machine is reached without TLS; the connection string says so itself.
    const allowInsecureConnection =
      /DefaultEndpointsProtocol=http;|TableEndpoint=http:|UseDevelopmentStorage=true/i.test(connectionString);
    return TableClient.fromConnectionString(connectionString, name, { ...options, allowInsecureConnection });
  };
}

/** The SDK waits for ever by default. */
const timeout: PipelinePolicy = {
  name: 'musterTimeout',
  sendRequest(request, next) {
    request.timeout ||= TIMEOUT_MS;
    return next(request);
  },
};
