/** The properties that Azure adds to a resource once it exists, as far as `infra/` reads them. */
export function stateOf(type: string, name: string): Record<string, unknown> {
  switch (type) {
    case 'Microsoft.Storage/storageAccounts': {
      const endpoint = (service: string) => `https://${name}.${service}.core.windows.net/`;
      return { primaryEndpoints: { blob: endpoint('blob'), queue: endpoint('queue'), table: endpoint('table') } };
    }
    case 'Microsoft.KeyVault/vaults':
      return { vaultUri: `https://${name}.vault.azure.net/` };
    case 'Microsoft.ManagedIdentity/userAssignedIdentities':
      return { principalId: `principal of ${name}`, clientId: '33333333-3333-4333-8333-333333333333' };
    case 'Microsoft.Web/sites':
      return { defaultHostName: `${name}.azurewebsites.net` };
    case 'Microsoft.Insights/components':
      return { ConnectionString: `connection string of ${name}` };
    case 'Microsoft.OperationalInsights/workspaces':
      return { customerId: `id of ${name}` };
    default:
      return {};
  }
}
