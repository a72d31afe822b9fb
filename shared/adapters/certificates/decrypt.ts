import { createDecipheriv, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import rc2 from 'node-forge/lib/rc2.js';
import forgeUtil from 'node-forge/lib/util.js';
import { type DerNode, integerOf, oidOf, partOf } from './der.ts';
import { derivePkcs12Key, toBmpString } from './pkcs12-key.ts';

/** Programs use 1,000 to 100,000. More would let one file keep a processor busy. */
const ITERATIONS_MAX = 600_000;
/** Our own thread makes these, three to six times. Java used to write 50,000, everything else writes 2,000. */
const PKCS12_ITERATIONS_MAX = 100_000;

interface Encryption {
  /** As Node names it. */
  cipher: string;
  keyBytes: number;
}

const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
const TRIPLE_DES: Encryption = { cipher: 'des-ede3-cbc', keyBytes: 24 };
const RC2_40: Encryption = { cipher: 'rc2-40-cbc', keyBytes: 5 };

/** Of PKCS #12 itself. Windows and older versions of OpenSSL use them. */
const pkcs12Encryptions: Record<string, Encryption> = {
  '1.2.840.113549.1.12.1.3': TRIPLE_DES,
  '1.2.840.113549.1.12.1.6': RC2_40,
};

/** Of PKCS #5, version 2. */
const pkcs5Encryptions: Record<string, Encryption> = {
  '1.2.840.113549.3.7': TRIPLE_DES,
  '2.16.840.1.101.3.4.1.2': { cipher: 'aes-128-cbc', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { cipher: 'aes-192-cbc', keyBytes: 24 },
  '2.16.840.1.101.3.4.1.42': { cipher: 'aes-256-cbc', keyBytes: 32 },
};
const HMAC_SHA1 = '1.2.840.113549.2.7';
const hashes: Record<string, string> = {
  [HMAC_SHA1]: 'sha1',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};

/** The password is wrong, or the file is damaged. */
export class WrongPassword extends Error {}

/** The file is encrypted in a way that we do not read. */
export class UnknownEncryption extends Error {}

/**
 * Decrypts a part of a PFX file.
 *
 * @param algorithm its AlgorithmIdentifier
 * @throws WrongPassword, UnknownEncryption, Error if the algorithm is malformed
 */
export async function decrypt(algorithm: DerNode, bytes: Uint8Array, password: string): Promise<Buffer> {
  const oid = oidOf(partOf(algorithm, 0));
  const parameters = partOf(algorithm, 1);
  if (oid === PBES2) return await decryptPkcs5(parameters, bytes, password);
  const salt = partOf(parameters, 0).bytes;
  const iterations = iterationsOf(partOf(parameters, 1), PKCS12_ITERATIONS_MAX);
  const encryption = known(pkcs12Encryptions, oid);
  // Without a password, some programs derive the key from an empty text and others from nothing.
  const texts = password === '' ? [toBmpString(''), Buffer.alloc(0)] : [toBmpString(password)];
  for (const text of texts) {
    const key = await derivePkcs12Key(1, text, salt, iterations, encryption.keyBytes);
    const iv = await derivePkcs12Key(2, text, salt, iterations, 8);
    const decrypted = decipher(encryption, key, iv, bytes);
    if (decrypted) return decrypted;
  }
  throw new WrongPassword();
}

async function decryptPkcs5(parameters: DerNode, bytes: Uint8Array, password: string): Promise<Buffer> {
  const derivation = partOf(parameters, 0);
  if (oidOf(partOf(derivation, 0)) !== PBKDF2) throw new UnknownEncryption();
  const [saltNode, iterationsNode, ...rest] = partOf(derivation, 1).parts;
  const salt = partOf(saltNode).bytes;
  const iterations = iterationsOf(partOf(iterationsNode), ITERATIONS_MAX);
  const prf = rest.find(({ parts }) => parts.length > 0);
  const hash = known(hashes, prf ? oidOf(partOf(prf, 0)) : HMAC_SHA1);
  const encryption = known(pkcs5Encryptions, oidOf(partOf(parameters, 1, 0)));
  const iv = partOf(parameters, 1, 1).bytes;
  const key = await promisify(pbkdf2)(password, salt, iterations, encryption.keyBytes, hash);
  const decrypted = decipher(encryption, key, iv, bytes);
  if (!decrypted) throw new WrongPassword();
  return decrypted;
}

function iterationsOf(node: DerNode, max: number): number {
  const iterations = integerOf(node);
  if (iterations > max) throw new UnknownEncryption();
  return Math.max(1, iterations);
}

function known<T>(table: Record<string, T>, oid: string): T {
  const found = Object.hasOwn(table, oid) ? table[oid] : undefined;
  if (found === undefined) throw new UnknownEncryption();
  return found;
}

/** `undefined` if the padding shows that the key is wrong. */
function decipher({ cipher, keyBytes }: Encryption, key: Buffer, iv: Buffer, bytes: Uint8Array): Buffer | undefined {
  try {
    if (cipher === RC2_40.cipher) return decipherRc2(key, keyBytes * 8, iv, bytes);
    const decipheriv = createDecipheriv(cipher, key, iv);
    return Buffer.concat([decipheriv.update(bytes), decipheriv.final()]);
  } catch {
    return undefined;
  }
}

/** OpenSSL, and so Node, no longer has RC2. It hides only the certificate in such a file, which is public. */
function decipherRc2(key: Buffer, bits: number, iv: Buffer, bytes: Uint8Array): Buffer | undefined {
  const cipher = rc2.createDecryptionCipher(key.toString('binary'), bits);
  cipher.start(forgeUtil.createBuffer(iv.toString('binary')));
  cipher.update(forgeUtil.createBuffer(Buffer.from(bytes).toString('binary')));
  return cipher.finish() ? Buffer.from(cipher.output.getBytes(), 'binary') : undefined;
}
