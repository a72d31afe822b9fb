/** How an import is meant to end. */
export type Fate = 'completes' | 'cancelled' | 'consentWithdrawn';

export interface PlannedImport {
  customer: number;
  rows: number;
  fate: Fate;
  isThrottled: boolean;
}

export interface PlannedCustomer {
  number: number;
  /** Its tenant allows few requests. */
  isThrottled: boolean;
  imports: PlannedImport[];
}

const SMALLEST = 5;
/** Most imports are small: more than four in five have less than 50 rows if the largest one has 5,000. */
const SKEW = 9;

/**
 * Sizes from a few rows to the largest, dealt to the customers in turn. The customer with the smallest imports has the
 * throttled tenant. The third largest import loses its consent, and the second largest one is cancelled.
 */
export function planCrowd(size: { imports: number; customers: number; largest: number }): PlannedCustomer[] {
  const customers: PlannedCustomer[] = Array.from({ length: size.customers }, (_, i) => ({
    number: i + 1,
    isThrottled: i === 0,
    imports: [],
  }));
  const fates = new Map<number, Fate>([
    [size.imports - 2, 'cancelled'],
    [size.imports - 3, 'consentWithdrawn'],
  ]);
  for (let i = 0; i < size.imports; i++) {
    const customer = customers[(i + size.customers - (size.imports % size.customers)) % size.customers];
    const share = (i / Math.max(1, size.imports - 1)) ** SKEW;
    const rows = Math.round(SMALLEST * (size.largest / SMALLEST) ** share);
    if (!customer) continue;
    const { number, isThrottled } = customer;
    customer.imports.push({ customer: number, rows, fate: fates.get(i) ?? 'completes', isThrottled });
  }
  return customers;
}
