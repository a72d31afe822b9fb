import { createHash, randomBytes } from 'node:crypto';
import { ConfidentialClientApplication, type Configuration } from '@azure/msal-node';
import type { HomeTenant } from '../../local/microsoft365/world.ts';
import type { SimulatorClient } from './simulator-client.ts';
import { wingtip } from './wingtip.ts';

/** The tenant and the identity of a deployment. */
export const home: HomeTenant = {
  tenantId: '8d2b7c14-5e90-4a3f-b6d1-70c9e4f2a853',
  clientId: 'f47e0a92-1c6d-4d38-9b25-3e8a6c0d5b71',
  clientSecret: 'simulated-home-8Q~value-of-a-client-secret',
};

export const redirectUri = 'https://muster.example/v1/consent/sign-in';

/** A verifier and its challenge (RFC 7636). */
export function proofKey() {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

/** Microsoft's client library, as an app of the Wingtip tenant. */
export function msalApp(client: SimulatorClient, auth: Partial<Configuration['auth']>) {
  const { host } = new URL(client.simulator.loginUrl);
  return new ConfidentialClientApplication({
    auth: {
      clientId: wingtip.clientId,
      authority: `${client.simulator.loginUrl}/${wingtip.id}`,
      knownAuthorities: [host],
      ...auth,
    },
  });
}

/** Presses a button of the sign-in page that `url` shows. Returns the query of the redirect. */
export async function signIn(url: string, button: { person: string } | { decision: 'cancel' }) {
  const shown = await fetch(url);
  const page = await shown.text();
  const fields = new URLSearchParams(button);
  for (const [, name = '', value = ''] of page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)) {
    fields.set(name, value.replaceAll('&amp;', '&'));
  }
  const action = new URL(/<form method="post" action="([^"]+)">/.exec(page)?.[1] ?? '', url);
  const result = await fetch(action, { method: 'POST', body: fields, redirect: 'manual' });
  const location = result.headers.get('location');
  return {
    page,
    status: result.status,
    text: await result.text(),
    query: location === null ? {} : Object.fromEntries(new URL(location).searchParams),
  };
}
