import { constants, createHash, type KeyObject, privateEncrypt, randomBytes } from 'node:crypto';

/** The DER of a DigestInfo for SHA-256, up to the digest. RFC 8017, section 9.2. */
const SHA256_PREFIX = Buffer.from('3031300d060960864801650304020105000420', 'hex');
const HASH_BYTES = 32;

/** Signs a SHA-256 digest. Node signs only what it has hashed itself. */
export const signDigest: Record<'PS256' | 'RS256', (key: KeyObject, digest: Buffer) => Buffer> = {
  RS256: (key, digest) =>
    privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.concat([SHA256_PREFIX, digest])),
  PS256: (key, digest) => privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encodePss(key, digest)),
};

/** EMSA-PSS-ENCODE of RFC 8017, section 9.1.1, with a salt as long as the hash. */
function encodePss(key: KeyObject, digest: Buffer): Buffer {
  const bits = (key.asymmetricKeyDetails?.modulusLength ?? 0) - 1;
  const length = Math.ceil(bits / 8);
  const salt = randomBytes(HASH_BYTES);
  const hash = createHash('sha256').update(Buffer.alloc(8)).update(digest).update(salt).digest();
  const block = Buffer.alloc(length - HASH_BYTES - 1);
  block[block.length - HASH_BYTES - 1] = 1;
  salt.copy(block, block.length - HASH_BYTES);
  const mask = maskOf(hash, block.length);
  for (let i = 0; i < block.length; i++) block[i] = (block[i] ?? 0) ^ (mask[i] ?? 0);
  block[0] = (block[0] ?? 0) & (0xff >> (8 * length - bits));
  return Buffer.concat([block, hash, Buffer.from([0xbc])]);
}

/** MGF1 with SHA-256. */
function maskOf(seed: Buffer, length: number): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i * HASH_BYTES < length; i++) {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(i);
    parts.push(createHash('sha256').update(seed).update(counter).digest());
  }
  return Buffer.concat(parts).subarray(0, length);
}
