import { html, type SimulatorReply, type SimulatorRequest } from '../http.ts';
import type { Tenant, TenantApp } from '../tenant.ts';
import type { World } from '../world.ts';
import { aadsts } from './aadsts.ts';
import { escaped, hiddenFields, page } from './page.ts';

type Version = 'v1' | 'v2';

/**
 * Refusals of the person who consents. A token request never gets them.
 * https://learn.microsoft.com/entra/identity/enterprise-apps/application-sign-in-unexpected-user-consent-error
 */
const personRefusals: Record<string, string> = {
  AADSTS90093:
    'This application is requesting one or more permissions that you are not authorized to grant. Contact an administrator, who can consent to this application on your behalf.',
  AADSTS90094:
    'This application needs permission to access resources in your organization that only an admin can grant. Please ask an admin to grant permission to this app before you can use it.',
  AADSTS50020:
    "User account '{EmailHidden}' from identity provider 'https://sts.windows.net/' does not exist in the tenant and cannot access the application in that tenant. The account needs to be added as an external user in the tenant first. Sign out and sign in again with a different Azure Active Directory user account.",
  AADSTS50105:
    'Your administrator has configured the application to block users unless they are specifically granted access.',
};

interface ConsentRequest {
  tenant: Tenant;
  app: TenantApp;
  redirectUri: URL;
  state: string | undefined;
  scope: string;
  version: Version;
}

/**
 * The page on which an admin accepts or cancels. `GET` shows it. Its buttons `POST` the field `decision` (`accept` or
 * `cancel`) and get Entra's redirect.
 */
export function answerAdminConsent(
  world: World,
  tenantName: string,
  version: Version,
  request: SimulatorRequest,
): SimulatorReply {
  const fields = request.method === 'POST' ? new URLSearchParams(request.body.toString('utf8')) : request.query;
  const read = (name: string) => fields.get(name) ?? request.query.get(name) ?? undefined;
  const consent = readConsentRequest(world, tenantName, version, read);
  if ('problem' in consent) return html(400, page('Sign in', `<p>${escaped(consent.problem)}</p>`));
  if (request.method === 'GET') return html(200, consentPage(consent));
  return redirect(consent, read('decision') === 'accept');
}

function readConsentRequest(
  world: World,
  tenantName: string,
  version: Version,
  read: (name: string) => string | undefined,
): ConsentRequest | { problem: string } {
  const clientId = read('client_id') ?? '';
  if (version === 'v2' && /^common$/i.test(tenantName)) {
    return { problem: 'AADSTS50059: No tenant-identifying information found in the request.' };
  }
  const isShared = /^(common|organizations)$/i.test(tenantName);
  const tenant = isShared ? world.tenants().find((candidate) => candidate.app(clientId)) : world.tenant(tenantName);
  if (!tenant) return { problem: `AADSTS90002: Tenant '${tenantName}' not found.` };
  const app = tenant.app(clientId);
  if (!app) {
    return {
      problem: `AADSTS700016: Application with identifier '${clientId}' was not found in the directory '${tenant.scenario.name}'.`,
    };
  }
  const redirectText = read('redirect_uri') ?? '';
  const isRegistered = app.scenario.redirectUris?.includes(redirectText) ?? true;
  if (!URL.canParse(redirectText) || !/^https?:/.test(redirectText) || !isRegistered) {
    return {
      problem: `AADSTS50011: The redirect URI '${redirectText}' specified in the request does not match the redirect URIs configured for the application '${clientId}'.`,
    };
  }
  const scope = read('scope') ?? (version === 'v1' ? 'https://graph.microsoft.com/.default' : '');
  if (version === 'v2' && !scope) {
    return { problem: "AADSTS900144: The request body must contain the following parameter: 'scope'." };
  }
  return { tenant, app, redirectUri: new URL(redirectText), state: read('state'), scope, version };
}

function redirect(request: ConsentRequest, isAccepted: boolean): SimulatorReply {
  const { tenant, app, redirectUri, state, scope, version } = request;
  const target = new URL(redirectUri);
  const answer = (values: Record<string, string>) => {
    for (const [name, value] of Object.entries(values)) target.searchParams.set(name, value);
    if (state !== undefined) target.searchParams.set('state', state);
    return { status: 302, headers: { Location: target.toString(), 'Cache-Control': 'no-store' } };
  };
  if (!isAccepted) {
    if (version === 'v1') {
      return answer({ error: 'permission_denied', error_description: 'The admin canceled the request' });
    }
    return answer({ error: 'access_denied', error_subcode: 'cancel' });
  }
  if (app.scenario.consent === 'declined') {
    // Entra sets admin_consent=True even on errors ("Admin consent on the Microsoft identity platform").
    return answer({
      admin_consent: 'True',
      error: 'consent_required',
      error_description: `AADSTS65004: User declined to consent to access the app. Application: ${app.scenario.clientId}`,
    });
  }
  if (app.scenario.consentError !== null) return answer(refusalOf(app.scenario.consentError));
  tenant.consent(app, Date.now());
  if (version === 'v1') return answer({ tenant: tenant.id, admin_consent: 'True' });
  return answer({ admin_consent: 'True', tenant: tenant.id, scope });
}

/** Entra names `access_denied` for every refusal, unless it has a transient problem of its own. */
function refusalOf(code: string): Record<string, string> {
  const number = code.slice('AADSTS'.length);
  const known = aadsts(Number(number), {}).body as { error: string; error_description: string };
  const isTransient = known.error === 'temporarily_unavailable';
  return {
    admin_consent: 'True',
    error: isTransient ? known.error : 'access_denied',
    error_description: personRefusals[code] ? `${code}: ${personRefusals[code]}` : known.error_description,
    error_uri: `https://login.microsoftonline.com/error?code=${number}`,
  };
}

function consentPage({ tenant, app, redirectUri, state, scope, version }: ConsentRequest): string {
  const hidden = hiddenFields({
    client_id: app.scenario.clientId,
    redirect_uri: redirectUri.toString(),
    scope,
    state,
  });
  const grants = app.scenario.grants.map((grant) => `<li>${escaped(grant)}</li>`).join('');
  const action = version === 'v1' ? `/${tenant.id}/adminconsent` : `/${tenant.id}/v2.0/adminconsent`;
  return page(
    'Permissions requested',
    `<p>Review for your organization <strong>${escaped(tenant.scenario.name)}</strong></p>
<p><strong>${escaped(app.scenario.displayName)}</strong> would like to:</p><ul>${grants}</ul>
<form method="post" action="${action}">${hidden}
<button name="decision" value="cancel">Cancel</button> <button name="decision" value="accept">Accept</button></form>`,
  );
}
