import { createHmac } from 'node:crypto';

export interface BodyHash {
  update(chunk: Uint8Array): void;
  digest(): string;
}

/**
 * Computes a fingerprint of a body, however the body is split into chunks.
 *
 * The boundary of a multipart body is left out, because a client that sends the same form again uses a new boundary.
 * The hash is keyed with the `Idempotency-Key`, which we do not store, so it reveals nothing about secrets in the body.
 */
export function createBodyHash(key: string, contentType: string | null): BodyHash {
  const hmac = createHmac('sha256', key);
  const boundary = /^multipart\/.*;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType ?? '');
  const marker = boundary ? Buffer.from(boundary[1] ?? boundary[2] ?? '') : undefined;
  if (!marker?.length) {
    return { update: (chunk) => void hmac.update(chunk), digest: () => hmac.digest('base64url') };
  }
  // The end of a chunk may be the start of a boundary. It is kept for the next chunk.
  let rest: Buffer = Buffer.alloc(0);
  return {
    update: (chunk) => {
      let text = Buffer.concat([rest, chunk]);
      for (let at = text.indexOf(marker); at >= 0; at = text.indexOf(marker)) {
        hmac.update(text.subarray(0, at));
        text = text.subarray(at + marker.length);
      }
      const safeLength = Math.max(0, text.length - marker.length + 1);
      hmac.update(text.subarray(0, safeLength));
      rest = text.subarray(safeLength);
    },
    digest: () => hmac.update(rest).digest('base64url'),
  };
}
