import { AzureCliCredential, AzureDeveloperCliCredential, ChainedTokenCredential } from '@azure/identity';

/** The account that is signed in to azd, or otherwise to az. */
export const deployer = new ChainedTokenCredential(new AzureDeveloperCliCredential(), new AzureCliCredential());

/** Azure Resource Manager or Microsoft Graph answered with an error. */
export class AzureRefusal extends Error {
  override readonly name = 'AzureRefusal';
  readonly status: number;
  constructor(what: string, status: number, text: string) {
    super(`${what}: ${status} ${text.slice(0, 500)}`);
    this.status = status;
  }
}

/**
 * Calls Azure Resource Manager. The path begins with a resource id. Rejects with `AzureRefusal` unless the answer is 2xx,
 * and with another error if there is no answer.
 */
export type CallAzure = (method: 'GET' | 'POST', path: string) => Promise<unknown>;

export const callAzure: CallAzure = (method, path) => call('https://management.azure.com', method, path);

/** Reads from Microsoft Graph v1.0. Rejects as `CallAzure` does. */
export type ReadGraph = (path: string) => Promise<unknown>;

export const readGraph: ReadGraph = (path) => call('https://graph.microsoft.com', 'GET', `/v1.0${path}`);

async function call(host: string, method: 'GET' | 'POST', path: string): Promise<unknown> {
  const { token } = await deployer.getToken(`${host}/.default`);
  const response = await fetch(`${host}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  if (!response.ok) throw new AzureRefusal(`${method} ${path}`, response.status, text);
  return text === '' ? undefined : JSON.parse(text);
}

/**
 * The same call may succeed later. For minutes after a deployment, Azure answers 400 and 503 "from host runtime" because the
 * app is still starting. https://github.com/Azure/azure-functions-core-tools/issues/3008
 */
export function mayPass(error: unknown): boolean {
  if (error instanceof AzureRefusal) return [400, 408, 409, 429].includes(error.status) || error.status >= 500;
  // What fetch rejects with if there is no answer.
  return error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError');
}

/**
 * Makes the platform resolve the app's Key Vault references again. By itself it does so when the app starts, and then once a
 * day.
 */
export async function refreshReferences(call: CallAzure, functionAppId: string): Promise<void> {
  await call('POST', `${functionAppId}/config/configreferences/appsettings/refresh?api-version=2022-03-01`);
}

/** A value of the azd environment, which azd passes to its hooks as environment variables. */
export function requireValue(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set. azd sets it after "azd provision"; run this script through azd.`);
  return value;
}
