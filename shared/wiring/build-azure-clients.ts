import type { TokenCredential } from '@azure/identity';
import { CertificateClient } from '@azure/keyvault-certificates';
import { SecretClient } from '@azure/keyvault-secrets';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { limitCalls } from '../adapters/key-vault/limit-calls.ts';
import { tellRefusals } from '../adapters/key-vault/tell-refusals.ts';
import { keepNextLinks } from '../adapters/key-vault/vault-pages.ts';
import { createVaultSigner } from '../adapters/key-vault/vault-signer.ts';
import { createTableClients } from '../adapters/tables/table-client.ts';
import type { Log } from '../kernel/log.ts';
import type { AppIdentity, Config, DataStorage } from './config.ts';

const VAULT_RETRIES = { maxRetries: 1, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 };
const STORAGE_RETRIES = { maxTries: 2, tryTimeoutInMs: 10_000, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 };

/**
 * The SDK clients of the app's own Azure resources. Retries are few and short: messages and callers try again later.
 */
export function buildAzureClients({ identity, storage, settings }: Config, log: Log) {
  const credential = lazyCredential(identity);
  const vaultOptions = {
    disableChallengeResourceVerification: !settings.KEY_VAULT_VERIFY_RESOURCE,
    retryOptions: VAULT_RETRIES,
    additionalPolicies: [...limitCalls(settings.VAULT_TIMEOUT), ...tellRefusals(log), ...keepNextLinks],
  };
  return {
    ...storageClients(storage, credential),
    vault: new SecretClient(settings.KEY_VAULT_URL, credential, vaultOptions),
    certificates: new CertificateClient(settings.KEY_VAULT_URL, credential, vaultOptions),
    signer: createVaultSigner(settings.KEY_VAULT_URL, credential, vaultOptions),
  };
}

/** The credential of the app. Its library is loaded for the first token, because that takes a fifth of the start. */
export function lazyCredential(identity: AppIdentity): TokenCredential {
  let loading: Promise<TokenCredential> | undefined;
  return {
    async getToken(scopes, options) {
      loading ??= import('./credential.ts').then(({ credentialOf }) => credentialOf(identity));
      return (await loading).getToken(scopes, options);
    },
  };
}

function storageClients(storage: DataStorage, credential: TokenCredential) {
  const options = { retryOptions: STORAGE_RETRIES };
  if (storage.kind === 'connectionString') {
    const connectionString = storage.connectionString.reveal();
    return {
      table: createTableClients({ kind: 'connectionString', connectionString: storage.connectionString }),
      blobs: BlobServiceClient.fromConnectionString(connectionString, options),
      queues: QueueServiceClient.fromConnectionString(connectionString, options),
    };
  }
  return {
    table: createTableClients({ kind: 'identity', tableUrl: storage.tableUrl, credential }),
    blobs: new BlobServiceClient(storage.blobUrl, credential, options),
    queues: new QueueServiceClient(storage.queueUrl, credential, options),
  };
}
