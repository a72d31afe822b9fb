import { z } from 'zod';
import type { Connection } from '../../../shared/connections/connection.ts';
import { toPem } from '../../../shared/connections/credentials/certificate.ts';
import { type ReadCertificateFile, readUpload } from '../../../shared/connections/credentials/uploaded-certificate.ts';
import { discardNextCertificate, makeNextCertificate } from '../../../shared/connections/replacing/make-certificate.ts';
import { replaceByUploaded, useNextCertificate } from '../../../shared/connections/replacing/replace-certificate.ts';
import { type ReplaceDeps, restoreCredential } from '../../../shared/connections/replacing/replace-credential.ts';
import { requireConnection } from '../../../shared/connections/require-connection.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import { DomainError } from '../../../shared/kernel/errors.ts';
import { replacingCertificate, validMonths } from './certificate-schemas.ts';
import { connectionSchema } from './connection-schemas.ts';
import { presentConnection } from './present-connection.ts';

type Deps = EndpointDeps &
  ReplaceDeps &
  Parameters<typeof makeNextCertificate>[0] & { readCertificateFile: ReadCertificateFile };

const PEM = 'application/x-pem-file';
const CER = 'application/pkix-cert';
const asksMicrosoft = ['credentials_rejected', 'microsoft_unavailable', 'microsoft_throttled'] as const;

/** The routes about the certificate of a connection. */
export function addCertificateRoutes(api: Api, deps: Deps): void {
  const present = (connection: Connection) => presentConnection(connection, deps.clock.now(), deps.expiringWithinDays);
  const path = 'v1/connections/{connectionId}/certificate';

  api.route({
    name: 'connections-download-certificate',
    method: 'GET',
    path,
    tag: 'Connections',
    summary: 'Download the public part of a certificate',
    description:
      'Upload this file in the Entra admin center, under App registrations > your app > Certificates & secrets > Certificates. It holds no key.',
    responses: {
      200: {
        description: 'The certificate.',
        contentType: PEM,
        alsoAs: [CER],
        headers: { 'Content-Disposition': 'A name for the file.' },
      },
    },
    permission: 'read',
    query: z.strictObject({
      which: z.enum(['current', 'next']).optional().meta({
        description:
          'The certificate in use, or the one that waits to be used. By default the one that waits, if there is one.',
      }),
      format: z.enum(['pem', 'cer']).default('pem').meta({ description: '`cer`: DER, which Windows opens.' }),
    }),
    async handle({ actor, params: { connectionId = '' }, query: { which, format } }) {
      const { certificate } = pick(await requireConnection(deps, actor, connectionId), which);
      const isPem = format === 'pem';
      const name = `muster-${certificate.thumbprint.slice(0, 8).toLowerCase()}.${format}`;
      return {
        headers: {
          'content-type': isPem ? PEM : CER,
          'content-disposition': `attachment; filename="${name}"`,
        },
        body: isPem ? toPem(certificate) : Buffer.from(certificate.der, 'base64'),
      };
    },
  });

  api.route({
    name: 'connections-make-certificate',
    method: 'POST',
    path: `${path}/next`,
    tag: 'Connections',
    summary: 'Make a certificate that will replace the credential',
    description:
      'Our key vault makes a key that never leaves it, which takes some seconds, and a certificate. Download the certificate, add it to the app in Entra, and then put it into use (`PUT …/certificate`). Until then the credential in use stays in use. One that was made before and is not in use is removed.',
    refusals: ['vault_unavailable'],
    responses: { 201: { description: 'The connection with its `nextCertificate`.', schema: connectionSchema } },
    permission: 'administer',
    testsConnection: true,
    makesKey: true,
    body: z.strictObject({ validMonths }),
    handle: async ({ actor, params: { connectionId = '' }, body }) => ({
      status: 201,
      jsonBody: present(await makeNextCertificate(deps, actor, connectionId, body.validMonths)),
    }),
  });

  api.route({
    name: 'connections-discard-certificate',
    method: 'DELETE',
    path: `${path}/next`,
    tag: 'Connections',
    summary: 'Discard the certificate that was made and is not in use',
    refusals: ['wrong_state'],
    responses: { 200: { description: 'The connection.', schema: connectionSchema } },
    permission: 'administer',
    handle: async ({ actor, params: { connectionId = '' }, requireMatch }) => ({
      jsonBody: present(
        await discardNextCertificate(deps, actor, connectionId, (current) => requireMatch(present(current))),
      ),
    }),
  });

  api.route({
    name: 'connections-replace-certificate',
    method: 'PUT',
    path,
    tag: 'Connections',
    summary: 'Replace the credential by a certificate',
    description:
      'Asks Microsoft for a token with the new certificate first. If Microsoft refuses it, the old certificate or client secret stays in use. Then the rest of the connection test runs. Imports that paused because of the old credential continue by themselves within a minute. The old one is kept for some days, and can be brought back.',
    refusals: [...asksMicrosoft, 'vault_unavailable', 'wrong_state', 'conflict'],
    responses: { 200: { description: 'The connection with its new certificate.', schema: connectionSchema } },
    permission: 'administer',
    testsConnection: true,
    body: z.strictObject({ certificate: replacingCertificate }),
    async handle({ actor, params: { connectionId = '' }, body: { certificate }, requireMatch }) {
      requireMatch(present(await requireConnection(deps, actor, connectionId)));
      const replaced =
        certificate.source === 'made'
          ? await useNextCertificate(deps, actor, connectionId)
          : await replaceByUploaded(deps, actor, connectionId, await readUpload(deps, certificate));
      return { jsonBody: present(replaced) };
    },
  });

  api.route({
    name: 'connections-restore-certificate',
    method: 'POST',
    path: `${path}/restore`,
    tag: 'Connections',
    summary: 'Bring back the certificate from before the last replacement',
    description:
      'Asks Microsoft for a token with that certificate first. If Microsoft refuses it, nothing changes. The two credentials change places, so this can be undone in the same way.',
    refusals: [...asksMicrosoft, 'vault_unavailable', 'wrong_state'],
    responses: { 200: { description: 'The connection with its earlier certificate.', schema: connectionSchema } },
    permission: 'administer',
    testsConnection: true,
    handle: async ({ actor, params: { connectionId = '' } }) => ({
      jsonBody: present(await restoreCredential(deps, actor, connectionId, 'certificate')),
    }),
  });
}

/** @throws DomainError `not_found` */
function pick({ credential, nextCertificate }: Connection, which: 'current' | 'next' | undefined) {
  const current = credential.kind === 'certificate' ? credential : undefined;
  const found = which === 'current' ? current : (nextCertificate ?? (which === 'next' ? undefined : current));
  if (found) return found;
  throw new DomainError('not_found', 'The connection has no such certificate.');
}
