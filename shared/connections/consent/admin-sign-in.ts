/** Who has signed in, as Microsoft Entra says it in an ID token. */
export interface SignedInPerson {
  tenantId: string;
  /** The object ID of the person in the tenant. */
  objectId: string;
  /** The template IDs of the directory roles. Absent if the registration of the app does not let Entra tell them. */
  directoryRoles?: readonly string[];
}

export type SignInAnswer =
  | { kind: 'signedIn'; person: SignedInPerson }
  /** The code or the credential of the app was refused. A retry does not help. */
  | { kind: 'refused'; microsoftCode?: string /** For the log. */; reason: string };

/** The sign-in of a person through the vendor's app: OpenID Connect, with an authorization code and PKCE. */
export interface AdminSignIn {
  /** Resolves to the address to send the browser to, without its state, and to what must be kept until it comes back. */
  begin(request: { tenantId: string; redirectUri: string }): Promise<{
    url: string;
    nonce: string;
    codeVerifier: string;
  }>;
  /** Rejects with `microsoft_unavailable` if a retry with the same code may help. */
  redeem(answer: {
    tenantId: string;
    redirectUri: string;
    code: string;
    nonce: string;
    codeVerifier: string;
  }): Promise<SignInAnswer>;
}

/**
 * The roles that may grant an app application permissions for a whole tenant: Global Administrator and Privileged Role
 * Administrator. https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
 */
const consentingRoles: ReadonlySet<string> = new Set([
  '62e90394-69f5-4237-9190-012177145e10',
  'e8611ab8-c189-46e8-94e1-60213ab1f814',
]);

export function isConsentingAdmin({ directoryRoles = [] }: SignedInPerson): boolean {
  return directoryRoles.some((role) => consentingRoles.has(role));
}
