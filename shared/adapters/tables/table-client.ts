import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import { TableClient } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';
import type { Secret } from '../../kernel/secret.ts';
import type { tables } from '../../kernel/storage-names.ts';

type TableAccess =
  | { kind: 'connectionString'; connectionString: Secret }
  | { kind: 'identity'; tableUrl: string; credential: TokenCredential };

export type TableName = (typeof tables)[keyof typeof tables];

interface TableClientOptions {
  /**
   * How often the SDK repeats a request by itself. Use 0 for writers that must know whether a conflict is their own: if
   * the answer to a commit is lost, the repeated commit fails with a conflict.
   */
  maxRetries?: number;
}

/** Short enough to report an outage before the caller gives up. */
const TIMEOUT_MS = 10_000;

/** Creates clients for the tables of one account. They report an outage within seconds: retries are few and short. */
export function createTableClients(access: TableAccess) {
  return (name: TableName, { maxRetries = 1 }: TableClientOptions = {}): TableClient => {
    const options = {
      retryOptions: { maxRetries, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 },
      additionalPolicies: [{ policy: timeout, position: 'perRetry' as const }],
    };
    if (access.kind === 'identity') return new TableClient(access.tableUrl, name, access.credential, options);
    const connectionString = access.connectionString.reveal();
    // Only a local account is reached without TLS. Its connection string says so.
    const allowInsecureConnection =
      /DefaultEndpointsProtocol=http;|TableEndpoint=http:|UseDevelopmentStorage=true/i.test(connectionString);
    return TableClient.fromConnectionString(connectionString, name, { ...options, allowInsecureConnection });
  };
}

/** By default, the SDK waits forever. */
const timeout: PipelinePolicy = {
  name: 'musterTimeout',
  sendRequest(request, next) {
    request.timeout ||= TIMEOUT_MS;
    return next(request);
  },
};
