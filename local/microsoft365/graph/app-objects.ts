import type { TenantApp } from '../tenant.ts';
import { stableGuid } from '../token-issuer.ts';
import { type DirectoryCall, type DirectoryOperation, directoryResponse, resourceNotFound } from './directory-call.ts';
import { appRoleId } from './directory-wire.ts';
import { applySelect } from './odata.ts';
import type { GraphResponse } from './responses.ts';

/** An operation on the app that the path names. Answers 404 if the tenant does not know the app. */
function onApp(units: number, run: (context: DirectoryCall, app: TenantApp) => GraphResponse): DirectoryOperation {
  return {
    permissions: ['Application.Read.All', 'Directory.Read.All'],
    units,
    run(context) {
      const app = findApp(context);
      return app ? run(context, app) : appNotFound(context);
    },
  };
}

/** The path names an app by `appId=…` or by the object id of its service principal. */
function findApp({ params, tenant }: DirectoryCall): TenantApp | undefined {
  const name = (params.principal ?? '').replace(/^appId=/, '');
  const byObjectId = tenant.scenario.apps.find(({ clientId }) => tenant.app(clientId)?.objectId === name.toLowerCase());
  return tenant.app(byObjectId?.clientId ?? name);
}

const appNotFound = ({ call, params }: DirectoryCall) => resourceNotFound(call, params.principal ?? '');

export const getServicePrincipal = onApp(1, (context, app) => {
  if (app.scenario.consent === 'absent') return appNotFound(context);
  const principal = {
    id: app.objectId,
    appId: app.scenario.clientId,
    displayName: app.scenario.displayName,
    accountEnabled: app.scenario.enabled,
    servicePrincipalType: 'Application',
  };
  return directoryResponse('servicePrincipals/$entity', applySelect(principal, context.call.query, ['id']));
});

export const listAppRoleAssignments = onApp(2, ({ tenant }, app) => {
  const resourceId = stableGuid(tenant.id, 'Microsoft Graph');
  return directoryResponse('appRoleAssignments', {
    value: app.grants.map((grant) => ({
      id: stableGuid(app.objectId, grant),
      createdDateTime: '2026-01-01T00:00:00Z',
      appRoleId: appRoleId(grant),
      principalDisplayName: app.scenario.displayName,
      principalId: app.objectId,
      principalType: 'ServicePrincipal',
      resourceDisplayName: 'Microsoft Graph',
      resourceId,
    })),
  });
});

/**
 * The app's registration. Real tenants can read it only in the app's home tenant; here every tenant is the home of its
 * apps. Secrets show their expiry date, never their value.
 */
export const getApplication = onApp(2, ({ call, tenant }, app) => {
  const { clientId, displayName, secrets, certificates } = app.scenario;
  const application = {
    id: stableGuid(tenant.id, 'application', clientId),
    appId: clientId,
    displayName,
    passwordCredentials: secrets.map((secret) => ({
      keyId: secret.id ?? stableGuid(clientId, secret.value),
      displayName: null,
      hint: secret.value.slice(0, 3),
      startDateTime: null,
      endDateTime: secret.expiresAt ?? null,
      secretText: null,
    })),
    keyCredentials: certificates.map(({ thumbprint }) => ({
      keyId: stableGuid(clientId, thumbprint),
      customKeyIdentifier: thumbprint,
      type: 'AsymmetricX509Cert',
      usage: 'Verify',
      endDateTime: null,
    })),
  };
  return directoryResponse('applications/$entity', applySelect(application, call.query, ['id']));
});
