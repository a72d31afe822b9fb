import { causes } from '../causes/causes.ts';
import type { Connection, OwnConnection } from '../connections/connection.ts';
import { type CredentialKind, credentialNames } from '../connections/credentials/credential.ts';
import { enteredExpiryOf } from '../connections/expiry/app-registration.ts';
import { aboutNewerCredentials, newerCredentialsOf } from '../connections/expiry/newer-credential.ts';
import type { ConnectionHappening, SecretExpiry } from '../connections/happenings.ts';

interface Step {
  text: string;
  link?: string;
}

/** Where admins find the app, by cloud. China has a portal of its own. */
const PORTALS: Record<Connection['cloud'], string> = {
  global: 'https://entra.microsoft.com',
  usgov: 'https://entra.microsoft.us',
  usgovdod: 'https://entra.microsoft.us',
  china: 'https://entra.microsoftonline.cn',
  simulator: 'https://entra.microsoft.com',
};

/** What people must know about a credential that expires: when, what stops working, and what to do. */
export function secretExpiryData(
  connection: OwnConnection,
  type: ConnectionHappening['type'],
  { expiresAt, daysLeft, threshold }: SecretExpiry,
) {
  const isExpired = daysLeft < 0 || type === 'secret.expired';
  const { kind } = connection.credential;
  const what = credentialNames[kind];
  return {
    credential: kind,
    expiresAt: expiresAt.toISOString(),
    daysLeft,
    ...(threshold && { threshold }),
    ...shownByEntra(connection),
    consequence: isExpired
      ? `Microsoft refuses the connection. Its imports pause, and no mailbox can be checked until the ${what} is replaced.`
      : `When the ${what} expires, Microsoft refuses the connection: its imports pause, and no mailbox can be checked.`,
    steps: stepsOf(connection)[kind],
  };
}

/** What differs from what was entered, and newer credentials. */
function shownByEntra(connection: Connection) {
  const enteredExpiresAt = enteredExpiryOf(connection);
  const { secret, certificate } = newerCredentialsOf(connection);
  return {
    ...(enteredExpiresAt && { enteredExpiresAt: enteredExpiresAt.toISOString() }),
    ...(secret && {
      newerSecret: {
        secretId: secret.keyId,
        ...(secret.name !== undefined && { name: secret.name }),
        ...(secret.hint !== undefined && { hint: secret.hint }),
        expiresAt: secret.expiresAt.toISOString(),
      },
    }),
    ...(certificate && {
      newerCertificate: {
        certificateId: certificate.keyId,
        ...(certificate.name !== undefined && { name: certificate.name }),
        ...(certificate.thumbprint !== undefined && { thumbprint: certificate.thumbprint.toUpperCase() }),
        expiresAt: certificate.expiresAt.toISOString(),
        isNext: certificate.isNext,
      },
    }),
  };
}

function stepsOf(connection: Connection): Record<CredentialKind, Step[]> {
  const { cloud, clientId } = connection;
  const newer = aboutNewerCredentials(newerCredentialsOf(connection)).map((text) => ({ text }));
  const link = `${PORTALS[cloud]}/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/Credentials/appId/${clientId}`;
  const open = { text: 'Open Certificates & secrets of the app in the Entra admin center.', link };
  return {
    clientSecret: [
      ...newer,
      open,
      { text: 'Create a new client secret and copy its Value, not its Secret ID.', link: causes.secret_expired.link },
      {
        text: 'Replace the client secret of this connection with the new Value. Muster tests it first, and running imports go on.',
      },
      { text: 'Delete the old client secret in the Entra admin center.' },
    ],
    certificate: [
      ...newer,
      {
        text: 'Let Muster make a new certificate for this connection and download its public part, or make one yourself.',
        link: causes.certificate_expired.link,
      },
      { ...open, text: `${open.text} Upload the public part of the new certificate.` },
      { text: 'Put the new certificate into use. Muster tests it first, and running imports go on.' },
      { text: 'Delete the old certificate in the Entra admin center.' },
    ],
  };
}
