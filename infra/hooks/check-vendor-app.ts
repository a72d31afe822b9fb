import { z } from 'zod';
import { AzureRefusal, type CallAzure, type ReadGraph, requireValue } from './azure.ts';

const credentialKinds = ['managedIdentity', 'clientSecret', 'certificate'] as const;

/** The multi-tenant app that this deployment was told to use, and what the registration must name. */
interface VendorAppChoice {
  clientId: string;
  cloud: string;
  credential: (typeof credentialKinds)[number];
  publicUrl: string;
  /** The tenant and the object id of the deployment's identity. */
  tenantId: string;
  principalId: string;
  vaultId: string;
}

interface Deps {
  callAzure: CallAzure;
  readGraph: ReadGraph;
  say: (line: string) => void;
  now: Date;
}

const dated = z.object({ endDateTime: z.coerce.date() });

const registration = z.object({
  signInAudience: z.string(),
  web: z.object({ redirectUris: z.array(z.string()) }),
  groupMembershipClaims: z.string().nullable(),
  optionalClaims: z.object({ idToken: z.array(z.object({ name: z.string() })).nullish() }).nullish(),
  requiredResourceAccess: z.array(z.object({ resourceAccess: z.array(z.object({ id: z.string() })) })),
  passwordCredentials: z.array(dated),
  keyCredentials: z.array(dated),
});

const federatedCredentials = z.object({
  value: z.array(z.object({ issuer: z.string(), subject: z.string(), audiences: z.array(z.string()) })),
});

type Registration = z.infer<typeof registration>;
type FederatedCredential = z.infer<typeof federatedCredentials>['value'][number];

/** Application permissions of Microsoft Graph. https://learn.microsoft.com/graph/permissions-reference */
const permissions = {
  'Mail.ReadWrite': 'e2a3a72e-5f79-4c64-b1b1-878b674786c9',
  'Mail.Send': 'b633e1c5-b582-4048-a93e-9f11b44c7e96',
};

/** The secrets of the operator vault that infra/app/api.bicep refers to. */
const secretNames = { clientSecret: 'vendor-app-client-secret', certificate: 'vendor-app-certificate' };

/**
 * Compares the registration of the vendor's app with what Muster needs, and says every difference with its fix. It never
 * fails the deployment: on the first one, the identity that the registration must trust does not exist before.
 */
export async function checkVendorApp(deps: Deps, choice: VendorAppChoice): Promise<void> {
  if (choice.cloud !== 'global') {
    const warning = choice.credential === 'managedIdentity' ? ' It cannot trust an identity of another cloud.' : '';
    return deps.say(`The vendor's app is in another cloud, so its registration is not checked.${warning}`);
  }
  try {
    const faults = [...(await findRegistrationFaults(deps, choice)), ...(await findVaultFaults(deps, choice))];
    for (const fault of faults) deps.say(`The vendor's app: ${fault}`);
    if (faults.length > 0) deps.say('docs/vendor-app.md explains each step.');
    else deps.say("The registration of the vendor's app is complete.");
  } catch (error) {
    deps.say(
      `The vendor's app could not be checked: ${error instanceof Error ? error.message : String(error)}. See docs/vendor-app.md.`,
    );
  }
}

async function findRegistrationFaults({ readGraph, now }: Deps, choice: VendorAppChoice): Promise<string[]> {
  const path = `/applications(appId='${choice.clientId}')`;
  try {
    const select = Object.keys(registration.shape).join(',');
    const app = registration.parse(await readGraph(`${path}?$select=${select}`));
    const federated = federatedCredentials.parse(await readGraph(`${path}/federatedIdentityCredentials`)).value;
    return [...findFaults(app, choice), ...findCredentialFaults(app, federated, choice, now)];
  } catch (error) {
    if (!(error instanceof AzureRefusal) || error.status !== 404) throw error;
    return [`your tenant has no registration with the client id ${choice.clientId}.`];
  }
}

function findFaults(app: Registration, { clientId, publicUrl }: VendorAppChoice): string[] {
  const faults: string[] = [];
  if (!/^AzureAD(MultipleOrgs|andPersonalMicrosoftAccount)$/.test(app.signInAudience)) {
    faults.push(
      `other tenants cannot use it. Run: az ad app update --id ${clientId} --sign-in-audience AzureADMultipleOrgs`,
    );
  }
  for (const redirectUri of [`${publicUrl}/v1/consent/callback`, `${publicUrl}/v1/consent/sign-in`]) {
    if (!app.web.redirectUris.includes(redirectUri)) faults.push(`its web redirect URI ${redirectUri} is missing.`);
  }
  const asked = app.requiredResourceAccess.flatMap(({ resourceAccess }) => resourceAccess.map(({ id }) => id));
  for (const [name, id] of Object.entries(permissions)) {
    if (!asked.includes(id)) faults.push(`the application permission ${name} of Microsoft Graph is missing.`);
  }
  const claims = app.groupMembershipClaims?.split(/,\s*/) ?? [];
  const tellsRoles = claims.some((claim) => claim === 'DirectoryRole' || claim === 'All');
  if (!tellsRoles && !app.optionalClaims?.idToken?.some(({ name }) => name === 'wids')) {
    faults.push(
      `ID tokens do not tell directory roles, so no admin can confirm. Run: az ad app update --id ${clientId} --set groupMembershipClaims=DirectoryRole`,
    );
  }
  return faults;
}

function findCredentialFaults(
  app: Registration,
  federated: FederatedCredential[],
  { credential, tenantId, principalId }: VendorAppChoice,
  now: Date,
): string[] {
  if (credential === 'managedIdentity') {
    // Entra compares case-sensitively.
    const isRight = ({ issuer, subject, audiences }: FederatedCredential) =>
      issuer === `https://login.microsoftonline.com/${tenantId}/v2.0` &&
      subject === principalId &&
      audiences.includes('api://AzureADTokenExchange');
    return federated.some(isRight)
      ? []
      : [`it does not trust the identity ${principalId} of this deployment. Add the federated credential.`];
  }
  const known = credential === 'clientSecret' ? app.passwordCredentials : app.keyCredentials;
  const name = credential === 'clientSecret' ? 'client secret' : 'certificate';
  return known.some(({ endDateTime }) => endDateTime > now) ? [] : [`it has no ${name} that is still valid.`];
}

/** Resource Manager tells whether a secret exists, but not its value. */
async function findVaultFaults({ callAzure }: Deps, { credential, vaultId }: VendorAppChoice): Promise<string[]> {
  if (credential === 'managedIdentity') return [];
  const name = secretNames[credential];
  try {
    await callAzure('GET', `${vaultId}/secrets/${name}?api-version=2023-07-01`);
    return [];
  } catch (error) {
    if (!(error instanceof AzureRefusal) || error.status !== 404) throw error;
    return [`the operator vault has no secret ${name}.`];
  }
}

/** What azd passes to its hooks. `undefined` if the deployment has no app of its own. */
export function readVendorAppChoice(): VendorAppChoice | undefined {
  const { env } = process;
  if (!env.MUSTER_VENDOR_APP_CLIENT_ID) return undefined;
  return {
    clientId: env.MUSTER_VENDOR_APP_CLIENT_ID,
    cloud: env.MUSTER_VENDOR_APP_CLOUD || 'global',
    credential: z.enum(credentialKinds).parse(env.MUSTER_VENDOR_APP_CREDENTIAL || 'managedIdentity'),
    publicUrl: (env.MUSTER_PUBLIC_URL || requireValue('API_URL')).replace(/\/$/, ''),
    tenantId: requireValue('AZURE_TENANT_ID'),
    principalId: requireValue('APP_PRINCIPAL_ID'),
    vaultId: requireValue('OPERATOR_VAULT_ID'),
  };
}
