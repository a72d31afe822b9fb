export const graphAudience = 'https://graph.microsoft.com';
export const exchangeAudience = 'https://outlook.office365.com';
export const vaultAudience = 'https://vault.azure.net';
/** Of tokens that a federated credential accepts. Entra writes the GUID into v2 tokens for `api://AzureADTokenExchange`. */
export const tokenExchange = {
  resource: 'api://AzureADTokenExchange',
  audience: 'fb60f99c-7a34-4190-8149-302f77469936',
} as const;
export const graphAppId = '00000003-0000-0000-c000-000000000000';

const audiences = new Map<string, string>([
  [graphAudience, graphAudience],
  [graphAppId, graphAudience],
  [exchangeAudience, exchangeAudience],
  ['https://outlook.office.com', exchangeAudience],
  ['https://ps.outlook.com', exchangeAudience],
  ['00000002-0000-0ff1-ce00-000000000000', exchangeAudience],
  [vaultAudience, vaultAudience],
]);

/** The audience of a resource's tokens, or `undefined` for an unknown resource. */
export function audienceOf(resource: string): string | undefined {
  return audiences.get(resource.toLowerCase().replace(/\/+$/, ''));
}

const exchangeOnly = new Set(['IMAP.AccessAsApp', 'POP.AccessAsApp', 'SMTP.SendAsApp', 'full_access_as_app']);

/** The application permissions among `grants` that belong to the resource. A token carries only those. */
export function rolesFor(audience: string, grants: readonly string[]): string[] {
  if (audience === graphAudience) return grants.filter((grant) => !exchangeOnly.has(grant));
  if (audience === exchangeAudience) return grants.filter((grant) => exchangeOnly.has(grant));
  return [];
}
