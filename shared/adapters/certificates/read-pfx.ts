import { decrypt } from './decrypt.ts';
import { type DerNode, oidOf, partOf, readDer } from './der.ts';

const DATA = '1.2.840.113549.1.7.1';
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';
const KEY_BAG = '1.2.840.113549.1.12.10.1.1';
const ENCRYPTED_KEY_BAG = '1.2.840.113549.1.12.10.1.2';
const CERTIFICATE_BAG = '1.2.840.113549.1.12.10.1.3';
/** A key and its certificates are two. Each costs time, so there must not be many. */
const ENCRYPTED_PARTS_MAX = 4;

/** What is in a PFX file, each in DER. */
export interface PfxContent {
  /** PKCS #8. */
  keys: Buffer[];
  certificates: Buffer[];
}

/**
 * Reads a PFX file (PKCS #12, RFC 7292). The decryption itself shows whether the password is right, so the check sum of
 * the file is not compared.
 *
 * @throws WrongPassword, UnknownEncryption, Error if the file is no PFX
 */
export async function readPfx(file: Uint8Array, password: string): Promise<PfxContent> {
  const content: PfxContent = { keys: [], certificates: [] };
  let encryptedParts = 0;
  const decryptPart = async (algorithm: DerNode, bytes: Uint8Array) => {
    if (++encryptedParts > ENCRYPTED_PARTS_MAX) throw new Error('the file has too many encrypted parts');
    return await decrypt(algorithm, bytes, password);
  };
  const authSafe = partOf(readDer(file), 1);
  if (oidOf(partOf(authSafe, 0)) !== DATA) throw new Error('the file is signed, not protected by a password');
  for (const info of readDer(partOf(authSafe, 1, 0).bytes).parts) {
    const bags = await openContent(info, decryptPart);
    for (const bag of bags?.parts ?? []) await readBag(bag, content, decryptPart);
  }
  return content;
}

type DecryptPart = (algorithm: DerNode, bytes: Uint8Array) => Promise<Buffer>;

async function openContent(info: DerNode, decryptPart: DecryptPart): Promise<DerNode | undefined> {
  const type = oidOf(partOf(info, 0));
  if (type === DATA) return readDer(partOf(info, 1, 0).bytes);
  if (type !== ENCRYPTED_DATA) return undefined;
  const encrypted = partOf(info, 1, 0, 1);
  return readDer(await decryptPart(partOf(encrypted, 1), partOf(encrypted, 2).bytes));
}

async function readBag(bag: DerNode, content: PfxContent, decryptPart: DecryptPart): Promise<void> {
  const value = partOf(bag, 1, 0);
  switch (oidOf(partOf(bag, 0))) {
    case CERTIFICATE_BAG:
      content.certificates.push(partOf(value, 1, 0).bytes);
      break;
    case ENCRYPTED_KEY_BAG:
      content.keys.push(await decryptPart(partOf(value, 0), partOf(value, 1).bytes));
      break;
    case KEY_BAG:
      throw new Error('the private key is not encrypted');
  }
}
