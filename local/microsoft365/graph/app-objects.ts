import { X509Certificate } from 'node:crypto';
import type { ScenarioApp } from '../scenario.ts';
import type { TenantApp } from '../tenant.ts';
import { stableGuid } from '../token-issuer.ts';
import { type DirectoryCall, type DirectoryOperation, directoryResponse, resourceNotFound } from './directory-call.ts';
import { appRoleId } from './directory-wire.ts';
import { applySelect } from './odata.ts';
import type { GraphResponse } from './responses.ts';

type ScenarioCertificate = ScenarioApp['certificates'][number];

const readers = ['Application.Read.All', 'Application.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'];

/** An operation on the app that the path names. Answers 404 if the tenant does not know the app. */
function onApp(units: number, run: (context: DirectoryCall, app: TenantApp) => GraphResponse): DirectoryOperation {
  return {
    permissions: readers,
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

/** Every real credential has an end. */
const LATEST_END = '2299-12-31T00:00:00Z';
const LIFETIME_MS = 180 * 86_400_000;

/** Real credentials have both times. By default, one begins half a year before its end. */
function lifetimeOf(startsAt: string | undefined, expiresAt: string | null | undefined) {
  const end = new Date(expiresAt ?? LATEST_END);
  const start = new Date(startsAt ?? Math.min(Date.parse('2026-01-01T00:00:00Z'), end.getTime() - LIFETIME_MS));
  const toText = (instant: Date) => instant.toISOString().replace(/\.000Z$/, 'Z');
  return { startDateTime: toText(start), endDateTime: toText(end) };
}

/** From the scenario, or from the certificate itself. */
function lifetimeOfCertificate({ publicKeyPem, startsAt, expiresAt }: ScenarioCertificate) {
  if (!publicKeyPem.includes('BEGIN CERTIFICATE')) return lifetimeOf(startsAt, expiresAt);
  const { validFromDate, validToDate } = new X509Certificate(publicKeyPem);
  return lifetimeOf(startsAt ?? validFromDate.toISOString(), expiresAt ?? validToDate.toISOString());
}

/**
 * The app's registration, which only its home tenant has. Secrets show their expiry and their first characters, never
 * their value. An app that owns its registration may read it with a permission that is of no use for other apps.
 */
const readApplication = onApp(2, ({ call, tenant, params }, app) => {
  const { clientId, displayName, secrets, certificates } = app.scenario;
  if (app.scenario.registeredElsewhere) return resourceNotFound(call, params.principal ?? '');
  const application = {
    id: stableGuid(tenant.id, 'application', clientId),
    appId: clientId,
    displayName,
    passwordCredentials: secrets.map((secret) => ({
      customKeyIdentifier: null,
      displayName: secret.name ?? null,
      ...lifetimeOf(secret.startsAt, secret.expiresAt),
      hint: secret.hint === undefined ? secret.value.slice(0, 3) : secret.hint,
      keyId: secret.id ?? stableGuid(clientId, secret.value),
      secretText: null,
    })),
    keyCredentials: certificates.map((certificate) => ({
      customKeyIdentifier: certificate.thumbprint.toUpperCase(),
      displayName: certificate.name ?? null,
      ...lifetimeOfCertificate(certificate),
      key: null,
      keyId: certificate.id ?? stableGuid(clientId, certificate.thumbprint),
      type: 'AsymmetricX509Cert',
      usage: 'Verify',
    })),
  };
  return directoryResponse('applications/$entity', applySelect(application, call.query, ['id']));
});

export const getApplication: DirectoryOperation = {
  ...readApplication,
  /** Ownership counts for the app itself only. */
  permissionsFor({ app }, { principal = '' }) {
    const isOwn = principal.replace(/^appId=/, '').toLowerCase() === app.scenario.clientId.toLowerCase();
    return isOwn && app.scenario.ownsRegistration ? [...readers, 'Application.ReadWrite.OwnedBy'] : readers;
  },
};
