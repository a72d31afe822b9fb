import { z } from 'zod';
import { type ReadCertificateFile, readUpload } from '../../../shared/connections/credentials/uploaded-certificate.ts';
import type { VendorApp } from '../../../shared/connections/credentials/vendor-app.ts';
import type { NewCredential } from '../../../shared/connections/lifecycle/register-connection.ts';
import type { Clock } from '../../../shared/kernel/clock.ts';
import { DomainError } from '../../../shared/kernel/errors.ts';
import type { Secret } from '../../../shared/kernel/secret.ts';
import { newCertificate } from './certificate-schemas.ts';

/** Whose app a connection uses: the customer's own registration, or the multi-tenant app of the vendor. */
export const apps = ['own', 'vendor'] as const;

interface AppFields {
  app: (typeof apps)[number];
  cloud: VendorApp['cloud'];
  clientId?: string | undefined;
  clientSecret?: Secret | undefined;
  clientSecretExpiresAt?: Date | undefined;
  certificate?: z.output<typeof newCertificate> | undefined;
}

/** The fields of the app of a new connection. Of its credentials, `withApp` wants exactly one. */
export function appFields<I extends z.ZodType, S extends z.ZodType, E extends z.ZodType>(fields: {
  clientId: I;
  clientSecret: S;
  clientSecretExpiresAt: E;
}) {
  return {
    app: z.enum(apps).default('own').meta({
      description:
        '`own`: an app that you have registered, with its `clientId` and a credential. `vendor`: the app of this service, with neither. An admin of the tenant only opens the consent link.',
    }),
    clientId: fields.clientId.optional(),
    clientSecret: fields.clientSecret.optional(),
    clientSecretExpiresAt: fields.clientSecretExpiresAt.optional(),
    certificate: newCertificate.optional().meta({ description: 'A certificate instead of a client secret.' }),
  };
}

const ownFields = ['clientId', 'clientSecret', 'clientSecretExpiresAt', 'certificate'] as const;
type OwnField = (typeof ownFields)[number];

/** Refuses a registration without a whole credential, with two, or with one for the vendor's app. */
export function withApp<Body extends AppFields>(schema: z.ZodType<Body>): z.ZodType<Body> {
  return schema.superRefine(
    (body, context) => {
      for (const path of ownFields) {
        const message = faultOf(body, path);
        if (message) context.addIssue({ code: 'custom', path: [path], message });
      }
    },
    // Also beside other faults, so that all are told together. Then the body may be anything.
    { when: () => true },
  );
}

function faultOf(body: AppFields | undefined, field: OwnField): string | undefined {
  const isGiven = body?.[field] !== undefined;
  const hasCertificate = body?.certificate !== undefined;
  if (body?.app === 'vendor') return isGiven ? 'is not for the app of this service' : undefined;
  if (field === 'certificate') return undefined;
  if (field === 'clientId') return isGiven ? undefined : 'is required';
  if (isGiven) return hasCertificate ? 'is not for a connection with a certificate' : undefined;
  return hasCertificate ? undefined : 'is required';
}

interface Deps {
  readCertificateFile: ReadCertificateFile;
  /** Absent if the deployment has no app of its own. */
  vendorApp: VendorApp | undefined;
  clock: Clock;
}

/**
 * @throws DomainError `validation_failed` for an uploaded certificate that cannot be used, and for the vendor's app if there
 * is none for the cloud
 */
export async function readNewApp(
  deps: Deps,
  { app, cloud, clientId, clientSecret, clientSecretExpiresAt, certificate }: AppFields,
): Promise<{ clientId: string; credential: NewCredential }> {
  if (app === 'vendor') return { clientId: requireVendorApp(deps, cloud).clientId, credential: { kind: 'deployment' } };
  if (clientId === undefined) throw new Error('the schema lets no registration without a client ID pass');
  if (clientSecret && clientSecretExpiresAt) {
    return { clientId, credential: { kind: 'clientSecret', clientSecret, clientSecretExpiresAt } };
  }
  if (!certificate) throw new Error('the schema lets no registration without a credential pass');
  if (certificate.source === 'made') {
    return { clientId, credential: { kind: 'madeCertificate', validMonths: certificate.validMonths } };
  }
  return { clientId, credential: { kind: 'uploadedCertificate', uploaded: await readUpload(deps, certificate) } };
}

function requireVendorApp({ vendorApp }: Deps, cloud: VendorApp['cloud']): VendorApp {
  if (!vendorApp) {
    throw new DomainError('validation_failed', 'This service has no app of its own. Register an app in your tenant.', {
      fields: [{ path: 'app', message: 'must be "own", because this service has no app' }],
    });
  }
  if (vendorApp.cloud !== cloud) {
    throw new DomainError('validation_failed', `The app of this service is in the cloud "${vendorApp.cloud}" only.`, {
      fields: [{ path: 'cloud', message: `must be "${vendorApp.cloud}" for the app of this service` }],
    });
  }
  return vendorApp;
}
