/**
 * Who can grant consent for a whole organization.
 * https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent
 */
export const CONSENT_ROLES =
  'Application permissions of Microsoft Graph need a Privileged Role Administrator or a Global Administrator. For other permissions, a Cloud Application Administrator or Application Administrator is enough.';
