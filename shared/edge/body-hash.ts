import { createHmac } from 'node:crypto';

export interface BodyHash {
  update(chunk: Uint8Array): void;
  digest(): string;
}

/**
 * Fingerprints a body: the same content gives the same fingerprint, however it was cut into chunks.
 *
 * The boundary of a multipart body is left out, because a client that sends the same form again makes up a new one.
 * Keyed with the `Idempotency-Key`, which we do not keep, so that what is kept says nothing of a secret in the body.
 */
export function createBodyHash(key: string, contentType: string | null): BodyHash {
  const hmac = createHmac('sha256', key);
  const boundary = /^multipart\/.*;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType ?? '');
  const mark = boundary ? Buffer.from(boundary[1] ?? boundary[2] ?? '') : undefined;
  if (!mark?.length) {
    return { update: (chunk) => void hmac.update(chunk), digest: () => hmac.digest('base64url') };
  }
  // What may be the beginning of a boundary waits here for the next chunk.
  let rest: Buffer = Buffer.alloc(0);
  return {
    update: (chunk) => {
      let text = Buffer.concat([rest, chunk]);
      for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark)) {
        hmac.update(text.subarray(0, at));
        text = text.subarray(at + mark.length);
      }
      const certain = Math.max(0, text.length - mark.length + 1);
      hmac.update(text.subarray(0, certain));
      rest = text.subarray(certain);
    },
    digest: () => hmac.update(rest).digest('base64url'),
  };
}
