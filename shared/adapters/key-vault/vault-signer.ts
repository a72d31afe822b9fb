import { createDefaultHttpClient, createPipelineFromOptions, createPipelineRequest } from '@azure/core-rest-pipeline';
import type { TokenCredential } from '@azure/identity';
import { keyVaultAuthenticationPolicy } from '@azure/keyvault-common';
import type { SecretClientOptions } from '@azure/keyvault-secrets';

/** Signs a SHA-256 digest with a key in the vault, by RSASSA-PSS. Rejects like the SDK, with `statusCode`. */
export type VaultSigner = (keyName: string, keyVersion: string, digest: Uint8Array) => Promise<Uint8Array>;

const API_VERSION = '7.5';

/**
 * Signs with keys in Azure Key Vault, by one request each. The library for keys reads the key first, and would be the
 * largest part of the package that serves one call.
 * https://learn.microsoft.com/rest/api/keyvault/keys/sign/sign
 */
export function createVaultSigner(
  vaultUrl: string,
  credential: TokenCredential,
  { disableChallengeResourceVerification = false, additionalPolicies = [], ...options }: SecretClientOptions,
): VaultSigner {
  const pipeline = createPipelineFromOptions(options);
  pipeline.addPolicy(keyVaultAuthenticationPolicy(credential, { disableChallengeResourceVerification }));
  for (const { policy, position } of additionalPolicies) {
    pipeline.addPolicy(policy, position === 'perRetry' ? { afterPhase: 'Sign' } : {});
  }
  const client = createDefaultHttpClient();
  return async (keyName, keyVersion, digest) => {
    const url = new URL(`/keys/${keyName}/${keyVersion}/sign?api-version=${API_VERSION}`, vaultUrl);
    const body = JSON.stringify({ alg: 'PS256', value: Buffer.from(digest).toString('base64url') });
    const request = createPipelineRequest({ url: url.toString(), method: 'POST', body });
    request.headers.set('content-type', 'application/json');
    request.headers.set('accept', 'application/json');
    const { status, bodyAsText } = await pipeline.sendRequest(client, request);
    const answer = JSON.parse(bodyAsText || '{}') as { value?: string; error?: VaultProblem };
    if (status !== 200 || !answer.value) throw refusal(status, answer.error);
    return Buffer.from(answer.value, 'base64url');
  };
}

interface VaultProblem {
  code?: string;
  message?: string;
  innererror?: { code?: string };
}

/** In the form of the SDK's errors, which the other adapters read. */
function refusal(statusCode: number, problem: VaultProblem = {}): Error {
  const error = new Error(`${problem.code ?? 'no code'}: ${problem.message ?? 'no message'}`);
  return Object.assign(error, { statusCode, details: { error: { innerError: problem.innererror } } });
}
