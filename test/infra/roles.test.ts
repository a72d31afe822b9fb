import { describe, expect, test } from 'vitest';
import type { Deployment } from './paper/deploy.ts';
import { allOf, brief, deployed, oneOf } from './paper/deployed.ts';

/** https://learn.microsoft.com/azure/role-based-access-control/built-in-roles */
const roleNames: Record<string, string> = {
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': 'Storage Blob Data Owner',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe': 'Storage Blob Data Contributor',
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88': 'Storage Queue Data Contributor',
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3': 'Storage Table Data Contributor',
  'b86a8fe4-44ce-4948-aee5-eccb2c155cd7': 'Key Vault Secrets Officer',
  'a4417e6f-fecd-4de8-b567-7b0420556985': 'Key Vault Certificates Officer',
  '12338af0-0e69-4776-bea7-57ae8d297424': 'Key Vault Crypto User',
  '4633458b-17de-408a-b874-0445c86b69e6': 'Key Vault Secrets User',
  '3913510d-42f4-4e42-8a64-420c390055eb': 'Monitoring Metrics Publisher',
};

function rolesOf(deployment: Deployment) {
  return brief(deployment, allOf(deployment, 'Microsoft.Authorization/roleAssignments')).map(({ scope, body }) => {
    const { roleDefinitionId, principalId, principalType } = body.properties as Record<string, string>;
    const role = roleNames[String(roleDefinitionId?.split('/').at(-1))];
    return [scope?.split('/').at(-1), role, `${principalType} ${principalId}`];
  });
}

const APP = 'ServicePrincipal principal of id-*';
/** The Functions host takes leases on blobs, so it must own those of its account. */
const ofTheApp = [
  ['sthost*', 'Storage Blob Data Owner', APP],
  ['sthost*', 'Storage Queue Data Contributor', APP],
  ['sthost*', 'Storage Table Data Contributor', APP],
  ['stdata*', 'Storage Blob Data Contributor', APP],
  ['stdata*', 'Storage Queue Data Contributor', APP],
  ['stdata*', 'Storage Table Data Contributor', APP],
  ['kv-op-*', 'Key Vault Secrets User', APP],
  ['kv-*', 'Key Vault Secrets Officer', APP],
  ['kv-*', 'Key Vault Certificates Officer', APP],
  ['kv-*', 'Key Vault Crypto User', APP],
  ['appi-*', 'Monitoring Metrics Publisher', APP],
];

describe('these roles, on these resources, and no other:', () => {
  test('the app’s, and the deployer’s on the vault of the operator key', () => {
    expect(rolesOf(deployed())).toEqual([...ofTheApp, ['kv-op-*', 'Key Vault Secrets Officer', 'User deployer']]);
  });

  test('a pipeline’s, with the type that azd tells', () => {
    const roles = rolesOf(deployed({ principalType: 'ServicePrincipal' }));
    expect(roles).toContainEqual(['kv-op-*', 'Key Vault Secrets Officer', 'ServicePrincipal deployer']);
  });

  test.each([{ grantDeployer: false }, { principalId: '' }])('only the app’s with %o', (params) => {
    expect(rolesOf(deployed(params))).toEqual(ofTheApp);
  });
});

test('nobody who deploys has a role on the vault with the customers’ secrets', () => {
  const onCustomerVault = rolesOf(deployed()).filter(([scope]) => scope === 'kv-*');
  expect(new Set(onCustomerVault.map(([, , who]) => who))).toEqual(new Set([APP]));
});

test('each assignment has a name of its own, so that none replaces another', () => {
  const names = allOf(deployed(), 'Microsoft.Authorization/roleAssignments').map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('one file grants every role', () => {
  const files = allOf(deployed(), 'Microsoft.Authorization/roleAssignments').map(({ declaredAs }) => declaredAs);
  expect(new Set(files.map((name) => name.split(' ')[0]))).toEqual(new Set(['infra/app/rbac.bicep']));
});

test('the app uses the identity that has the roles, and no other', () => {
  const deployment = deployed();
  const [identity] = allOf(deployment, 'Microsoft.ManagedIdentity/userAssignedIdentities');
  expect(oneOf(deployment, 'Microsoft.Web/sites').body.identity).toEqual({
    type: 'UserAssigned',
    userAssignedIdentities: { [String(identity?.id)]: {} },
  });
});

// It reads its package, its storage and the operator key as its identity.
test('the app is created after its roles', () => {
  expect(deployed().dependsOn).toEqual({ api: ['roles'] });
});
