import type { SecretClientOptions } from '@azure/keyvault-secrets';

type AdditionalPolicies = NonNullable<SecretClientOptions['additionalPolicies']>;

/**
 * Ends each call to the vault after this time, retries and the waits before them included. The SDK has no limit of its
 * own: it would wait for a silent vault for ever, and before a retry for as long as the vault asks.
 */
export function limitCalls(timeoutMs: number): AdditionalPolicies {
  return [
    {
      position: 'perCall',
      policy: {
        name: 'limitCalls',
        sendRequest(request, next) {
          const limit = AbortSignal.timeout(timeoutMs);
          request.abortSignal = request.abortSignal
            ? AbortSignal.any([request.abortSignal as AbortSignal, limit])
            : limit;
          return next(request);
        },
      },
    },
  ];
}
