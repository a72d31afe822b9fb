import { hash } from 'node:crypto';

/**
 * Maps addresses to whole numbers from 1 to 2^32 - 1, in 18 to 36 bytes each. A `Map` of the addresses takes over 100.
 *
 * Keeps 64 bits of each address's SHA-256. Among a million addresses, two are taken for one with a probability of
 * 1 in 37 million. Do not base on it what must be exact.
 */
export interface AddressMap {
  get(address: string): number | undefined;
  /** Keeps this value, unless the address has one. Then it returns that one, and changes nothing. */
  add(address: string, value: number): number | undefined;
  readonly size: number;
}

const CAPACITY_MIN = 1_024;
/** At most two of three places are used. Fuller tables are slow to search. */
const FILLED_MAX = 2 / 3;

export function createAddressMap(): AddressMap {
  let size = 0;
  let capacity = CAPACITY_MIN;
  let high = new Uint32Array(capacity);
  let low = new Uint32Array(capacity);
  /** 0 marks a free place. */
  let values = new Uint32Array(capacity);

  /** The place of these 64 bits, or the free place where they belong. */
  function find(highBits: number, lowBits: number): number {
    let place = lowBits & (capacity - 1);
    while (values[place] !== 0 && (low[place] !== lowBits || high[place] !== highBits)) {
      place = (place + 1) & (capacity - 1);
    }
    return place;
  }

  function put(place: number, highBits: number, lowBits: number, value: number): void {
    high[place] = highBits;
    low[place] = lowBits;
    values[place] = value;
  }

  function grow(): void {
    const [oldHigh, oldLow, oldValues] = [high, low, values];
    capacity *= 2;
    high = new Uint32Array(capacity);
    low = new Uint32Array(capacity);
    values = new Uint32Array(capacity);
    for (const [i, value] of oldValues.entries()) {
      if (value === 0) continue;
      const [highBits, lowBits] = [oldHigh[i] ?? 0, oldLow[i] ?? 0];
      put(find(highBits, lowBits), highBits, lowBits, value);
    }
  }

  return {
    get size() {
      return size;
    },
    get(address) {
      const bits = bitsOf(address);
      return values[find(bits.high, bits.low)] || undefined;
    },
    add(address, value) {
      const bits = bitsOf(address);
      const earlier = values[find(bits.high, bits.low)];
      if (earlier) return earlier;
      if (++size > capacity * FILLED_MAX) grow();
      put(find(bits.high, bits.low), bits.high, bits.low, value);
      return undefined;
    },
  };
}

function bitsOf(address: string): { high: number; low: number } {
  const digest = hash('sha256', address, 'buffer');
  return { high: digest.readUInt32LE(0), low: digest.readUInt32LE(4) };
}
