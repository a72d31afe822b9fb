import { globSync, readFileSync } from 'node:fs';

/** Where a guide says that a value is shown. */
export type Source = { kind: 'Portal' | 'Script' | 'Answer'; field: string };

/** One thing that a guide tells its reader, in the order of the page. */
export type Instruction =
  | { kind: 'need'; names: string[] }
  | { kind: 'request'; method: string; path: string; body?: string }
  | { kind: 'copy'; name: string; from: Source }
  | { kind: 'expect'; path: string; value: string; isRepeated: boolean };

interface Section {
  /** `5. Connect the tenant` */
  title: string;
  text: string;
  instructions: Instruction[];
}

/**
 * A guide as a machine can follow it. `You start with:` and `You need:` name values. A code block of the language `http`
 * is a request. A table with the heads `copy` and `where it is shown` names values to copy. `Expect:` and
 * `Repeat until:` say what an answer has.
 */
export interface SetupGuide {
  path: string;
  text: string;
  startsWith: string[];
  /** `## 1. …` and so on: what a reader does by hand. */
  steps: Section[];
  /** `## By script`: what replaces the first steps. */
  byScript?: Section;
  headings: string[];
}

export function readGuide(path: string): SetupGuide {
  const text = readFileSync(path, 'utf8');
  const sections = text
    .split(/^## /m)
    .slice(1)
    .map((section): Section => {
      const [title = '', ...lines] = section.split('\n');
      return { title, text: section, instructions: readInstructions(lines.join('\n')) };
    });
  const byScript = sections.find(({ title }) => title === 'By script');
  return {
    path,
    text,
    startsWith: namesIn(text.match(/^You start with: (.+)$/m)?.[1] ?? ''),
    steps: sections.filter(({ title }) => /^\d+\. /.test(title)),
    ...(byScript && { byScript }),
    headings: sections.map(({ title }) => title),
  };
}

const INSTRUCTION = new RegExp(
  [
    '^You need: (?<need>.+)$',
    '^```http\\n(?<method>[A-Z]+) (?<path>.+)\\n(?<body>[\\s\\S]*?)^```$',
    '^\\| `(?<name>[^`]+)` \\| (?<kind>Portal|Script|Answer): (?<field>[^|]+?) \\|$',
    '(?<again>Repeat until|Expect): `(?<where>[^`]+)` is `(?<value>[^`]+)`',
  ].join('|'),
  'gm',
);

function readInstructions(text: string): Instruction[] {
  return [...text.matchAll(INSTRUCTION)].map(({ groups: found = {} }) => {
    const { need, method, path = '', body = '', name, kind, field = '', again, where = '', value = '' } = found;
    if (need) return { kind: 'need', names: namesIn(need) };
    if (method) return { kind: 'request', method, path, ...(body.trim() && { body: body.trim() }) };
    if (name) return { kind: 'copy', name, from: { kind: kind as Source['kind'], field } };
    return { kind: 'expect', path: where, value, isRepeated: again === 'Repeat until' };
  });
}

const namesIn = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

/** The names in `{{…}}`. */
export const placeholdersOf = (text: string) => [...text.matchAll(/\{\{([^}]+)\}\}/g)].map(([, name = '']) => name);

export const setupGuides = globSync('docs/setup/*.md')
  .sort()
  .filter((path) => !/README|run-a-script/.test(path))
  .map(readGuide);
