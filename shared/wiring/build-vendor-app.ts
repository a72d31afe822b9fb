import type { CloudEndpoints } from '../adapters/entra/clouds.ts';
import { createVendorAppAccess, type VendorAppAccess } from '../adapters/entra/vendor-app-access.ts';
import type { Cloud } from '../connections/connection.ts';
import type { AdminSignIn } from '../connections/consent/admin-sign-in.ts';
import { lazyCredential } from './build-azure-clients.ts';
import type { Config } from './config.ts';

interface VendorAppParts {
  vendorApp: VendorAppAccess | undefined;
  adminSignIn: AdminSignIn | undefined;
}

/** The multi-tenant app of the deployment, if it has one, and the sign-in of admins through it. */
export function buildVendorApp(
  { vendorApp: app, identity, settings }: Config,
  clouds: (cloud: Cloud) => CloudEndpoints,
): VendorAppParts {
  if (!app) return { vendorApp: undefined, adminSignIn: undefined };
  const { clientId, cloud } = app;
  const { loginUrl, federationResource } = clouds(cloud);
  const credential =
    app.credential.kind === 'federated'
      ? { kind: 'federated' as const, identity: lazyCredential(identity), resource: federationResource }
      : app.credential;
  const vendorApp = createVendorAppAccess({ clientId, cloud }, credential);
  return { vendorApp, adminSignIn: lazySignIn(vendorApp, loginUrl, settings.CHECK_TIMEOUT) };
}

/** Its library is loaded for the first sign-in, because most processes see none. */
function lazySignIn(app: VendorAppAccess, loginUrl: string, timeoutMs: number): AdminSignIn {
  const load = async () =>
    (await import('../adapters/entra/admin-sign-in.ts')).createAdminSignIn({ app, loginUrl, timeoutMs });
  return {
    begin: async (request) => (await load()).begin(request),
    redeem: async (answer) => (await load()).redeem(answer),
  };
}
