import { RestError } from '@azure/core-rest-pipeline';

/** A vault answers 403 to a caller without a role, and to a caller from a network that it does not admit. */
export function isForbidden(error: unknown): error is RestError {
  return error instanceof RestError && error.statusCode === 403;
}

/**
 * What to do about a network that the vault does not admit. `undefined` if waiting may help: the caller's role is new, or
 * the firewall admits the address that it names and does not act yet.
 *
 * https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
 */
export function networkRefusal(error: RestError, allowedIp: string): string | undefined {
  const text = error.response?.bodyAsText ?? '';
  if (text.includes('ForbiddenByConnection')) {
    return 'The vault is closed to the internet. Run "azd env set MUSTER_VAULT_ALLOWED_IP <your public address>" and "azd provision", or set the key from inside the virtual network.';
  }
  if (!text.includes('ForbiddenByFirewall')) return undefined;
  const address = text.match(/Client address: ([0-9a-f.:]+)/i)?.[1];
  if (address !== undefined && address === allowedIp) return undefined;
  return (
    `The vault's firewall does not admit ${address ?? 'this address'}, only ${allowedIp || 'the virtual network'}. ` +
    `Run "azd env set MUSTER_VAULT_ALLOWED_IP ${address ?? '<your public address>'}" and "azd provision".`
  );
}
