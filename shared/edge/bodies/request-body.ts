import type { HttpRequest } from '@azure/functions';
import { z } from 'zod';
import { DomainError } from '../../kernel/errors.ts';
import type { FieldFaults } from '../../kernel/field-faults.ts';
import type { Attempt } from '../answers/idempotency.ts';
import { readFields } from '../requests/validate.ts';
import { readJson } from './body.ts';
import { createBodyHash } from './body-hash.ts';
import { type StreamedBody, streamBody } from './streamed-body.ts';

const nothing = z.strictObject({});

/** Longer than any JSON request takes. After this time, the key of a request that died can be used again. */
const JSON_LOCK_MS = 2 * 60_000;
/** As long as the host lets a function run. */
const STREAM_LOCK_MS = 10 * 60_000;

/** How much of a refused body is read and thrown away. */
const DISCARD_MAX_BYTES = 64 * 1024 * 1024;

export type BodyKind = 'json' | 'stream' | 'none';

interface ReadBody {
  value: unknown;
  streamed?: StreamedBody;
  fingerprints(search: string): Pick<Attempt, 'fingerprint' | 'drain' | 'fingerprintAfterwards' | 'lockMs'>;
}

/**
 * Reads and validates a JSON body, or passes on a streamed one. Wrong fields are added to `faults`; then the value must
 * not be used.
 *
 * @throws DomainError `payload_too_large`, `unsupported_media_type`, `malformed_request`
 */
export async function readBody(
  deps: { http: { jsonBodyMaxBytes: number } },
  route: { body?: z.ZodType<unknown>; bodyKind?: BodyKind },
  request: HttpRequest,
  idempotencyKey: string | undefined,
  faults: FieldFaults,
): Promise<ReadBody> {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (!isRead) await refuseEncoded(request);
  const contentType = request.headers.get('content-type');
  const hash = idempotencyKey === undefined ? undefined : createBodyHash(idempotencyKey, contentType);
  if (route.bodyKind === 'stream') {
    const streamed = streamBody(request.body, hash);
    const withSearch = (search: string) => {
      const found = streamed.fingerprint();
      return found === undefined ? undefined : `${found}${search}`;
    };
    return {
      value: streamed.stream,
      streamed,
      fingerprints: (search) => ({
        drain: async () => {
          await streamed.drain();
          return withSearch(search);
        },
        fingerprintAfterwards: () => withSearch(search),
        lockMs: STREAM_LOCK_MS,
      }),
    };
  }
  const json = isRead ? undefined : await readJson(request, deps.http.jsonBodyMaxBytes);
  const value = isRead ? undefined : parseBody(route.body, json?.value, faults);
  return {
    value,
    fingerprints: (search) => {
      hash?.update(json?.bytes ?? new Uint8Array());
      hash?.update(Buffer.from(`\n${search}`));
      const fingerprint = hash?.digest() ?? '';
      const drain = async () => fingerprint;
      return { fingerprint, drain, fingerprintAfterwards: () => fingerprint, lockMs: JSON_LOCK_MS };
    },
  };
}

function parseBody(schema: z.ZodType<unknown> | undefined, value: unknown, faults: FieldFaults): unknown {
  if (!schema) {
    readFields(faults, nothing, value ?? {});
    return undefined;
  }
  if (value === undefined && !schema.safeParse(undefined).success) {
    throw new DomainError('malformed_request', 'The body is missing. Send a JSON body.');
  }
  return readFields(faults, schema, value);
}

/**
 * A compressed body is not read: a few kilobytes can become gigabytes.
 *
 * @throws DomainError `unsupported_media_type`
 */
async function refuseEncoded(request: HttpRequest): Promise<void> {
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase();
  if (!encoding || encoding === 'identity') return;
  // Most clients read the answer only after they have sent all.
  await streamBody(request.body, undefined)
    .discardRest(DISCARD_MAX_BYTES)
    .catch(() => undefined);
  throw new DomainError(
    'unsupported_media_type',
    'Muster does not accept compressed bodies. Send the body without Content-Encoding.',
  );
}
