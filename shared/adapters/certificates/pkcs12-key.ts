import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';

const HASH = { name: 'sha1', bytes: 20, blockBytes: 64 } as const;
/** One turn takes about a millisecond, so that other requests are served in between. */
const ITERATIONS_A_TURN = 1_000;

/**
 * Derives a key or an initialization vector from a password, as RFC 7292 says in appendix B.2, with SHA-1.
 *
 * @param purpose 1 for a key, 2 for an initialization vector
 * @param password as `toBmpString` encodes it
 */
export async function derivePkcs12Key(
  purpose: 1 | 2,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Promise<Buffer> {
  const diversifier = Buffer.alloc(HASH.blockBytes, purpose);
  const input = Buffer.concat([repeatToBlocks(salt), repeatToBlocks(password)]);
  const parts: Buffer[] = [];
  for (let made = 0; made < length; made += HASH.bytes) {
    let digest = hash(diversifier, input);
    for (let i = 1; i < iterations; i++) {
      digest = hash(digest);
      if (i % ITERATIONS_A_TURN === 0) await nextTurn();
    }
    parts.push(digest);
    addToBlocks(input, digest);
  }
  return Buffer.concat(parts).subarray(0, length);
}

/** UTF-16 with the most significant byte first, and a zero character at the end. */
export function toBmpString(password: string): Buffer {
  return Buffer.from(`${password}\0`, 'utf16le').swap16();
}

function hash(...parts: Uint8Array[]): Buffer {
  const sum = createHash(HASH.name);
  for (const part of parts) sum.update(part);
  return sum.digest();
}

function repeatToBlocks(bytes: Uint8Array): Buffer {
  if (bytes.length === 0) return Buffer.alloc(0);
  const length = Math.ceil(bytes.length / HASH.blockBytes) * HASH.blockBytes;
  return Buffer.from(Uint8Array.from({ length }, (_, i) => bytes[i % bytes.length] ?? 0));
}

/** Adds the repeated digest and one to each block, as a number, and drops what overflows. */
function addToBlocks(input: Buffer, digest: Buffer): void {
  for (let block = 0; block < input.length; block += HASH.blockBytes) {
    let carry = 1;
    for (let i = HASH.blockBytes - 1; i >= 0; i--) {
      const sum = (input[block + i] ?? 0) + (digest[i % HASH.bytes] ?? 0) + carry;
      input[block + i] = sum & 0xff;
      carry = sum >> 8;
    }
  }
}
