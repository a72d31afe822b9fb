import { z } from 'zod';
import type { Cloud } from '../../connections/connection.ts';
import type { AppRegistrations } from '../../connections/expiry/app-registration.ts';
import type { SendBatch } from './batch.ts';

const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const text = z.string().nullish().catch(undefined);

const listed = z.object({
  keyId: z.string(),
  displayName: text,
  startDateTime: instant.nullish().catch(undefined),
  endDateTime: instant,
});

const application = z.object({
  passwordCredentials: z.array(listed.extend({ hint: text }).nullable().catch(null)),
  keyCredentials: z.array(listed.extend({ customKeyIdentifier: text, usage: text }).nullable().catch(null)),
});

/**
 * `GET /applications(appId='…')`: needs Application.Read.All, or Application.ReadWrite.OwnedBy and ownership. The
 * registration of an app is in its home tenant only. The value of a secret is never in the answer.
 * https://learn.microsoft.com/graph/api/application-get
 */
export function graphAppRegistrations(deps: {
  sendBatch: SendBatch;
  clouds: (cloud: Cloud) => { graphUrl: string };
}): AppRegistrations {
  return {
    async read({ clientId, cloud }, { token }) {
      const url = `/applications(appId='${encodeURIComponent(clientId)}')?$select=id,passwordCredentials,keyCredentials`;
      const { graphUrl } = deps.clouds(cloud);
      const answer = (await deps.sendBatch(graphUrl, token, [{ id: '1', method: 'GET', url }])).get('1');
      if (answer?.kind === 'refused' && [401, 403, 404].includes(answer.refusal.status)) return { kind: 'refused' };
      if (answer?.kind !== 'accepted') return { kind: 'unavailable' };
      const read = application.safeParse(answer.body);
      if (!read.success) return { kind: 'unavailable' };
      const { passwordCredentials, keyCredentials } = read.data;
      return {
        kind: 'read',
        secrets: passwordCredentials.flatMap((one) =>
          one ? [{ ...toListed(one), ...(one.hint && { hint: one.hint }) }] : [],
        ),
        // The app proves itself with those that verify. It signs SAML tokens with others.
        certificates: keyCredentials.flatMap((one) =>
          one && one.usage !== 'Sign' ? [{ ...toListed(one), ...toThumbprint(one.customKeyIdentifier) }] : [],
        ),
      };
    },
  };
}

function toListed({ keyId, displayName, startDateTime, endDateTime }: z.infer<typeof listed>) {
  return {
    keyId,
    ...(displayName && { name: displayName }),
    ...(startDateTime && { startsAt: startDateTime }),
    expiresAt: endDateTime,
  };
}

/** Graph shows the thumbprint in hex or, as every binary property, in Base64. */
function toThumbprint(identifier: string | null | undefined): { thumbprint?: string } {
  if (!identifier) return {};
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/i.test(identifier)) return { thumbprint: identifier.toLowerCase() };
  const bytes = Buffer.from(identifier, 'base64');
  return bytes.length === 20 || bytes.length === 32 ? { thumbprint: bytes.toString('hex') } : {};
}
