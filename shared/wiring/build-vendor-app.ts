import type { createAdminSignIn } from '../adapters/entra/admin-sign-in.ts';
import type { CloudEndpoints } from '../adapters/entra/clouds.ts';
import { createVendorAppAccess, type VendorAppAccess } from '../adapters/entra/vendor-app-access.ts';
import type { Cloud } from '../connections/connection.ts';
import type { AdminSignIn } from '../connections/consent/admin-sign-in.ts';
import type { Clock } from '../kernel/clock.ts';
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
  clock: Clock,
): VendorAppParts {
  if (!app) return { vendorApp: undefined, adminSignIn: undefined };
  const { clientId, cloud } = app;
  const { loginUrl, issuerOrigin, federationResource } = clouds(cloud);
  const credential =
    app.credential.kind === 'federated'
      ? { kind: 'federated' as const, identity: lazyCredential(identity), resource: federationResource }
      : app.credential;
  const vendorApp = createVendorAppAccess({ clientId, cloud }, credential);
  return {
    vendorApp,
    adminSignIn: lazySignIn({ app: vendorApp, loginUrl, issuerOrigin, clock, timeoutMs: settings.CHECK_TIMEOUT }),
  };
}

/** Its library is loaded for the first sign-in, because most processes see none. */
function lazySignIn(deps: Parameters<typeof createAdminSignIn>[0]): AdminSignIn {
  const load = async () => (await import('../adapters/entra/admin-sign-in.ts')).createAdminSignIn(deps);
  return {
    begin: async (request) => (await load()).begin(request),
    redeem: async (answer) => (await load()).redeem(answer),
  };
}
