import type { SecretClientOptions } from '@azure/keyvault-secrets';
import type { Log } from '../../kernel/log.ts';
import { signal } from '../../kernel/signals.ts';

type AdditionalPolicies = NonNullable<SecretClientOptions['additionalPolicies']>;

/** A 403 for the state of one secret or key. The app may use the vault. */
const ABOUT_ONE_ITEM: ReadonlySet<string> = new Set(['SecretDisabled', 'KeyDisabled', 'KeyExpired', 'KeyNotYetValid']);

/**
 * Writes a line each time the vault refuses the app, because a role is missing or the vault does not admit its network.
 * Looks at the answer to the whole call: the first 401 is only the vault's challenge. A secret or key that is disabled,
 * expired or not yet valid is no refusal.
 */
export function tellRefusals(log: Log): AdditionalPolicies {
  return [
    {
      position: 'perCall',
      policy: {
        name: 'tellRefusals',
        async sendRequest(request, next) {
          const response = await next(request);
          const { status } = response;
          if (status !== 401 && status !== 403) return response;
          const code = codeOf(response.bodyAsText);
          if (!ABOUT_ONE_ITEM.has(code ?? ''))
            signal(log, 'vault_refused', { status, ...(code !== undefined && { code }) });
          return response;
        },
      },
    },
  ];
}

/** The inner code tells more, such as `ForbiddenByRbac` or `ForbiddenByConnection`. */
function codeOf(body: string | null | undefined): string | undefined {
  try {
    const { error } = JSON.parse(body ?? '') as { error?: { code?: unknown; innererror?: { code?: unknown } } };
    const code = error?.innererror?.code ?? error?.code;
    return typeof code === 'string' ? code.slice(0, 100) : undefined;
  } catch {
    return undefined;
  }
}
