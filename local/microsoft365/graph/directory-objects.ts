import type { Entry } from '../directory.ts';
import { stableGuid } from '../token-issuer.ts';
import {
  type DirectoryCall,
  type DirectoryOperation,
  directoryAnswer,
  resourceNotFound,
  unsupportedQuery,
} from './directory-call.ts';
import { appRoleId, presentContact, presentGroup, presentOrganization, presentUser } from './directory-wire.ts';
import { metadata, selected } from './odata.ts';
import { parseFilter, readPath } from './odata-filter.ts';

/** A collection small enough to be looked through: groups, contacts, the recycle bin. */
function collection(
  name: string,
  needs: readonly string[],
  kind: Entry['kind'],
  present: (entry: Entry) => Record<string, unknown>,
): DirectoryOperation {
  return {
    needs,
    run({ call, tenant }) {
      const text = call.query.get('$filter');
      const filter = text === null ? undefined : parseFilter(text, readPath);
      if (text !== null && !filter) return unsupportedQuery(call, `Invalid filter clause: '${text}'.`);
      const found = tenant.directory.ofKind(kind).map(present);
      const matching = filter ? found.filter((item) => filter.matches(item)) : found;
      return directoryAnswer({
        '@odata.context': `${metadata}#${name}`,
        ...(call.query.get('$count') === 'true' ? { '@odata.count': matching.length } : {}),
        value: matching.slice(0, 999).map((item) => selected(item, call.query, ['id'])),
      });
    },
  };
}

export const listGroups = collection(
  'groups',
  ['Group.ReadBasic.All', 'Group.Read.All', 'GroupMember.Read.All', 'Directory.Read.All'],
  'group',
  presentGroup,
);

export const listContacts = collection(
  'contacts',
  ['OrgContact.Read.All', 'Directory.Read.All'],
  'contact',
  presentContact,
);

export const listDeletedUsers = collection(
  'directory/deletedItems/microsoft.graph.user',
  ['User.Read.All', 'Directory.Read.All'],
  'softDeleted',
  (entry) => ({ ...presentUser(entry), deletedDateTime: '2026-01-01T00:00:00Z' }),
);

export const getOrganization: DirectoryOperation = {
  needs: ['Organization.Read.All', 'User.Read.All', 'Directory.Read.All'],
  run({ call, tenant }) {
    return directoryAnswer({
      '@odata.context': `${metadata}#organization`,
      value: [selected(presentOrganization(tenant), call.query, ['id'])],
    });
  },
};

const readsApps = ['Application.Read.All', 'Directory.Read.All'] as const;

function appNamed({ params, tenant }: DirectoryCall) {
  const name = (params.principal ?? '').replace(/^appId=/, '');
  const byObjectId = tenant.scenario.apps.find(({ clientId }) => tenant.app(clientId)?.objectId === name.toLowerCase());
  return tenant.app(byObjectId?.clientId ?? name);
}

export const getServicePrincipal: DirectoryOperation = {
  needs: readsApps,
  run(context) {
    const app = appNamed(context);
    if (!app || app.scenario.consent === 'absent') {
      return resourceNotFound(context.call, context.params.principal ?? '');
    }
    const principal = {
      id: app.objectId,
      appId: app.scenario.clientId,
      displayName: app.scenario.displayName,
      accountEnabled: app.scenario.enabled,
      servicePrincipalType: 'Application',
    };
    return directoryAnswer({
      '@odata.context': `${metadata}#servicePrincipals/$entity`,
      ...selected(principal, context.call.query, ['id']),
    });
  },
};

export const listAppRoleAssignments: DirectoryOperation = {
  needs: readsApps,
  units: 2,
  run(context) {
    const app = appNamed(context);
    if (!app) return resourceNotFound(context.call, context.params.principal ?? '');
    const resourceId = stableGuid(context.tenant.id, 'Microsoft Graph');
    return directoryAnswer({
      '@odata.context': `${metadata}#appRoleAssignments`,
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
  },
};

/** A registration is read in its home tenant; here every app is at home. Secrets show their end, never their value. */
export const getApplication: DirectoryOperation = {
  needs: readsApps,
  units: 2,
  run(context) {
    const app = appNamed(context);
    if (!app) return resourceNotFound(context.call, context.params.principal ?? '');
    const { clientId, displayName, secrets, certificates } = app.scenario;
    const application = {
      id: stableGuid(context.tenant.id, 'application', clientId),
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
    return directoryAnswer({
      '@odata.context': `${metadata}#applications/$entity`,
      ...selected(application, context.call.query, ['id']),
    });
  },
};
