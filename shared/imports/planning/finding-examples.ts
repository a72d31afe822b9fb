import type { FindingExample } from '../ledger/plan-record.ts';
import type { ParsedRow } from '../upload/parsed-row.ts';

const EXAMPLES_MAX = 5;
/** All examples are one property of the plan: 32,768 characters. They are there to recognize a row, not to correct it. */
const ADDRESS_MAX_LENGTH = 60;

/** Adds a row to the examples of its finding, if there are not enough yet. */
export function addFindingExample(
  examples: Readonly<Record<string, readonly FindingExample[]>>,
  code: string,
  { line, address }: ParsedRow,
): Readonly<Record<string, readonly FindingExample[]>> {
  const known = examples[code] ?? [];
  if (known.length >= EXAMPLES_MAX) return examples;
  const text = address.replaceAll(/\p{Cc}/gu, ' ');
  const short = text.length > ADDRESS_MAX_LENGTH ? `${text.slice(0, ADDRESS_MAX_LENGTH - 1).toWellFormed()}…` : text;
  return { ...examples, [code]: [...known, { line, ...(short !== '' && { address: short }) }] };
}
