import { createHash, createPublicKey } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { CertificateStore, StoredCertificate } from './certificate-store.ts';
import { nameOf, page, read, type VaultRequest, type VaultResponse } from './operation.ts';
import { signDigest } from './rsa-signature.ts';
import { badParameter } from './vault-error.ts';

/** A client asks once in a second. Most certificates are made by then, so the first answer waits for a moment. */
const PENDING_ANSWERED_MS = 500;
const RECOVERABLE_DAYS = 90;
const DAY_SECONDS = 86_400;

const creation = z.object({
  policy: z.object({
    key_props: z.object({
      kty: z.literal('RSA').default('RSA'),
      key_size: z.union([z.literal(2048), z.literal(3072), z.literal(4096)]).default(2048),
      exportable: z.boolean().default(true),
    }),
    secret_props: z.object({ contentType: z.string().default('application/x-pkcs12') }).prefault({}),
    x509_props: z.object({ subject: z.string().min(1), validity_months: z.int().min(1).max(1200).default(12) }),
    issuer: z.object({ name: z.literal('Self') }),
  }),
  tags: z.record(z.string().max(512), z.string().max(512)).nullish(),
});
const change = z.object({ attributes: z.object({ enabled: z.boolean() }).partial().nullish() });
const signature = z.object({ alg: z.enum(['PS256', 'RS256']), value: z.string() });

type Run = (store: CertificateStore, request: VaultRequest) => VaultResponse | Promise<VaultResponse>;

const operations: Record<string, Run> = {
  'POST /certificates/{name}/create': (store, request) => {
    const { policy, tags } = read(creation, request.body);
    const { key_props: key, secret_props: secret, x509_props: x509 } = policy;
    const name = nameOf(request);
    store.create(
      name,
      {
        subject: x509.subject,
        keySize: key.key_size,
        exportable: key.exportable,
        validityMonths: x509.validity_months,
        contentType: secret.contentType,
      },
      tags ?? undefined,
    );
    return { status: 202, body: presentOperation(request.url, name, 'inProgress') };
  },
  'GET /certificates/{name}/pending': async (store, request) => {
    const name = nameOf(request);
    const isMade = await Promise.race([store.made(name).then(() => true), pause(PENDING_ANSWERED_MS, false)]);
    if (!isMade) return ok(presentOperation(request.url, name, 'inProgress'));
    return ok(presentOperation(request.url, store.get(name, '').name, 'completed'));
  },
  'GET /certificates/{name}': getCertificate,
  'GET /certificates/{name}/{version}': getCertificate,
  'PATCH /certificates/{name}': (store, request) => {
    const { attributes } = read(change, request.body);
    return ok(present(request.url, store.update(nameOf(request), attributes?.enabled)));
  },
  'GET /certificates': (store, request) => page(request, store.list(), (one) => presentItem(request.url, one)),
  'DELETE /certificates/{name}': async (store, request) => {
    const name = nameOf(request);
    await store.made(name);
    return ok(presentDeleted(request.url, store.delete(name)));
  },
  'GET /deletedcertificates/{name}': (store, request) =>
    ok(presentDeleted(request.url, store.getDeleted(nameOf(request)))),
  'DELETE /deletedcertificates/{name}': (store, request) => {
    store.purge(nameOf(request));
    return { status: 204 };
  },
  'GET /keys/{name}': getKey,
  'GET /keys/{name}/{version}': getKey,
  'POST /keys/{name}/{version}/sign': (store, request) => {
    const { alg, value } = read(signature, request.body);
    const digest = Buffer.from(value, 'base64url');
    if (digest.length !== 32) throw badParameter('The digest must have 32 bytes.');
    const name = nameOf(request);
    const version = request.segments[2] ?? '';
    const signed = store.sign(name, version, (key) => signDigest[alg](key, digest));
    return ok({ kid: `${request.url}/keys/${name}/${version}`, value: signed.toString('base64url') });
  },
};

const VERBS = new Set(['create', 'pending', 'sign']);

/** Finds the operation on a certificate or a key for a request, as `findOperation` does for secrets. */
export function findCertificateOperation(
  method: string,
  segments: readonly string[],
): { route: string; run: Run } | undefined {
  const [area = '', name, third, fourth] = segments;
  const shape = [area, name && '{name}', VERBS.has(third ?? '') ? third : third && '{version}', fourth];
  const route = `/${shape.filter(Boolean).join('/')}`;
  const run = segments.length > 4 ? undefined : operations[`${method} ${route}`];
  return run && { route, run };
}

const ok = (body: object): VaultResponse => ({ status: 200, body });

function getCertificate(store: CertificateStore, request: VaultRequest): VaultResponse {
  return ok(present(request.url, store.get(nameOf(request), request.segments[2] ?? '')));
}

function getKey(store: CertificateStore, request: VaultRequest): VaultResponse {
  const { certificate, key } = store.key(nameOf(request), request.segments[2] ?? '');
  const { n, e } = createPublicKey(key).export({ format: 'jwk' });
  const kid = `${request.url}/keys/${certificate.name}/${certificate.version}`;
  return ok({
    key: { kid, kty: 'RSA', key_ops: ['sign', 'verify'], n, e },
    attributes: attributes(certificate),
    ...(certificate.tags && { tags: certificate.tags }),
    managed: true,
  });
}

function attributes({ enabled, nbf, exp, created }: StoredCertificate): object {
  const recovery = { recoveryLevel: 'Recoverable+Purgeable', recoverableDays: RECOVERABLE_DAYS };
  return { enabled, nbf, exp, created, updated: created, ...recovery };
}

function presentItem(url: string, certificate: StoredCertificate): object {
  const { name, tags, cer } = certificate;
  const x5t = createHash('sha1').update(Buffer.from(cer, 'base64')).digest('base64url');
  return { id: `${url}/certificates/${name}`, x5t, attributes: attributes(certificate), ...(tags && { tags }) };
}

function present(url: string, certificate: StoredCertificate): object {
  const { name, version, cer, policy } = certificate;
  return {
    ...presentItem(url, certificate),
    id: `${url}/certificates/${name}/${version}`,
    kid: `${url}/keys/${name}/${version}`,
    sid: `${url}/secrets/${name}/${version}`,
    cer,
    policy: {
      id: `${url}/certificates/${name}/policy`,
      key_props: { exportable: policy.exportable, kty: 'RSA', key_size: policy.keySize, reuse_key: false },
      secret_props: { contentType: policy.contentType },
      x509_props: { subject: policy.subject, validity_months: policy.validityMonths },
      issuer: { name: 'Self' },
    },
    pending: { id: `${url}/certificates/${name}/pending` },
  };
}

function presentDeleted(url: string, certificate: StoredCertificate): object {
  const deletedDate = Math.floor((certificate.deletedAt ?? 0) / 1000);
  return {
    ...present(url, certificate),
    recoveryId: `${url}/deletedcertificates/${certificate.name}`,
    deletedDate,
    scheduledPurgeDate: deletedDate + RECOVERABLE_DAYS * DAY_SECONDS,
  };
}

function presentOperation(url: string, name: string, status: 'inProgress' | 'completed'): object {
  return {
    id: `${url}/certificates/${name}/pending`,
    issuer: { name: 'Self' },
    cancellation_requested: false,
    status,
    ...(status === 'completed' && { target: `${url}/certificates/${name}` }),
    request_id: '00000000000000000000000000000000',
  };
}
