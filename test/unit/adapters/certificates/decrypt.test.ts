import { expect, test } from 'vitest';
import { decrypt, UnknownEncryption, WrongPassword } from '../../../../shared/adapters/certificates/decrypt.ts';
import { readDer } from '../../../../shared/adapters/certificates/der.ts';

const der = (tag: number, bytes: Uint8Array) => Buffer.concat([Buffer.from([tag, bytes.length]), bytes]);
const sequence = (...parts: Uint8Array[]) => der(0x30, Buffer.concat(parts));

/** What says that a part of a file is encrypted by Triple DES, with a key that is derived as PKCS #12 does. */
function tripleDes(iterations: number) {
  const oid = der(6, Buffer.from('2a864886f70d010c0103', 'hex'));
  const count = der(2, Buffer.from(iterations.toString(16).padStart(8, '0'), 'hex'));
  return readDer(sequence(oid, sequence(der(4, Buffer.alloc(8)), count)));
}

const encrypted = Buffer.alloc(64);

test('a key that is derived as PKCS #12 does has at most 100,000 iterations, because each takes time from all requests', async () => {
  await expect(decrypt(tripleDes(100_001), encrypted, 'x')).rejects.toThrow(UnknownEncryption);
  await expect(decrypt(tripleDes(2_048), encrypted, 'x')).rejects.toThrow(WrongPassword);
});
