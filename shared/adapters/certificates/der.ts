import asn1 from 'node-forge/lib/asn1.js';

/** One value of a file in DER or BER. */
export interface DerNode {
  /** The tag number, within its class. */
  tag: number;
  isContextSpecific: boolean;
  /** The parts of a constructed value; none of a primitive one. */
  parts: DerNode[];
  /** The bytes of a primitive value, or of a string that is sent in chunks. */
  bytes: Buffer;
}

const CONTEXT_SPECIFIC = 0x80;
const OBJECT_IDENTIFIER = 6;

/** @throws Error if the bytes are no DER or BER */
export function readDer(bytes: Uint8Array): DerNode {
  return toNode(asn1.fromDer(Buffer.from(bytes).toString('binary'), { decodeBitStrings: false, parseAllBytes: false }));
}

function toNode({ tagClass, type, value }: { tagClass: number; type: number; value: unknown }): DerNode {
  const parts = Array.isArray(value) ? value.map(toNode) : [];
  const bytes = typeof value === 'string' ? Buffer.from(value, 'binary') : Buffer.concat(parts.map((one) => one.bytes));
  return { tag: type, isContextSpecific: tagClass === CONTEXT_SPECIFIC, parts, bytes };
}

/** A part by its position. @throws Error if there is none */
export function partOf(node: DerNode | undefined, ...path: number[]): DerNode {
  const found = path.reduce<DerNode | undefined>((current, at) => current?.parts[at], node);
  if (!found) throw new Error('a part is missing');
  return found;
}

/** The dotted form of an object identifier. @throws Error if it is none */
export function oidOf(node: DerNode): string {
  if (node.tag !== OBJECT_IDENTIFIER || node.isContextSpecific) throw new Error('an object identifier is missing');
  return asn1.derToOid(node.bytes.toString('binary'));
}

const INTEGER_BYTES_MAX = 6;

/** A whole number that is not negative. One that is too large to be exact is `Infinity`. */
export function integerOf({ bytes }: DerNode): number {
  if (bytes.length > INTEGER_BYTES_MAX) return Number.POSITIVE_INFINITY;
  return bytes.length === 0 ? 0 : bytes.readUIntBE(0, bytes.length);
}
