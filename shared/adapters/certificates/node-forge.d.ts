// The parts of node-forge that we use, one by one: the whole package is many times as large.
declare module 'node-forge/lib/asn1.js' {
  interface Node {
    tagClass: number;
    type: number;
    value: unknown;
  }
  const asn1: {
    fromDer(bytes: string, options: { decodeBitStrings: boolean; parseAllBytes: boolean }): Node;
    derToOid(bytes: string): string;
  };
  export default asn1;
}
declare module 'node-forge/lib/rc2.js' {
  import type { util } from 'node-forge';

  interface Decipher {
    start(iv: util.ByteStringBuffer): void;
    update(input: util.ByteStringBuffer): void;
    finish(): boolean;
    output: util.ByteStringBuffer;
  }
  const rc2: { createDecryptionCipher(key: string, bits: number): Decipher };
  export default rc2;
}
declare module 'node-forge/lib/util.js' {
  import type { util } from 'node-forge';

  const forgeUtil: typeof util;
  export default forgeUtil;
}
