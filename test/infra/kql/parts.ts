import type { Part } from './parse.ts';

/** The parts that are more than a word or a sign. */
export function inner({ parts }: Part): Part[] {
  return parts.filter(({ kind }) => !/(Token|Keyword)$/.test(kind));
}

/** The part at this place among those, which must be there. */
export function at(part: Part, index: number): Part {
  return inner(part)[index] ?? fail(part, `no part ${index}`);
}

/** The items of a list, or none. */
export function itemsOf(part: Part | undefined): Part[] {
  return part?.parts.find(({ kind }) => kind === 'List')?.parts ?? [];
}

export function childOf(part: Part, kind: string): Part | undefined {
  return part.parts.find((one) => one.kind === kind);
}

export function textOf(part: Part): string {
  return part.text + part.parts.map(textOf).join(' ');
}

export function fail(part: Part, why: string): never {
  throw new Error(`${part.kind}: ${why}: ${textOf(part).slice(0, 100)}`);
}
