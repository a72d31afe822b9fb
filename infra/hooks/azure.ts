import { AzureCliCredential, AzureDeveloperCliCredential, ChainedTokenCredential } from '@azure/identity';

/** The account that is signed in to azd, or otherwise to az. */
export const deployer = new ChainedTokenCredential(new AzureDeveloperCliCredential(), new AzureCliCredential());

/** Calls Azure Resource Manager. The path begins with a resource id. Rejects unless the answer is 2xx. */
export type CallAzure = (method: 'GET' | 'POST', path: string) => Promise<unknown>;

export const callAzure: CallAzure = async (method, path) => {
  const { token } = await deployer.getToken('https://management.azure.com/.default');
  const response = await fetch(`https://management.azure.com${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`);
  return text === '' ? undefined : JSON.parse(text);
};

/** A value of the azd environment, which azd passes to its hooks as environment variables. */
export function requireValue(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set. azd sets it after "azd provision"; run this script through azd.`);
  return value;
}
