import { causes } from '../causes/causes.ts';
import type { Connection } from '../connections/connection.ts';
import type { SecretExpiry } from '../connections/happenings.ts';

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

/** What people must know about a client secret that expires: when, what stops working, and what to do. */
export function secretExpiryData(connection: Connection, { expiresAt, daysLeft, threshold }: SecretExpiry) {
  const isExpired = daysLeft < 0 || threshold === undefined;
  return {
    expiresAt: expiresAt.toISOString(),
    daysLeft,
    ...(threshold && { threshold }),
    consequence: isExpired
      ? 'Microsoft refuses the connection. Its imports pause, and no mailbox can be checked until the client secret is replaced.'
      : 'When the client secret expires, Microsoft refuses the connection: its imports pause, and no mailbox can be checked.',
    steps: stepsOf(connection),
  };
}

function stepsOf({ cloud, clientId }: Connection): Step[] {
  const credentials = `${PORTALS[cloud]}/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/Credentials/appId/${clientId}`;
  return [
    { text: 'Open Certificates & secrets of the app in the Entra admin center.', link: credentials },
    { text: 'Create a new client secret and copy its Value, not its Secret ID.', link: causes.secret_expired.link },
    {
      text: 'Replace the client secret of this connection with the new Value. Muster tests it first, and running imports go on.',
    },
    { text: 'Delete the old client secret in the Entra admin center.' },
  ];
}
