import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

/** A word or phrase to avoid, and what to write instead. `\s+` also finds a phrase that is broken over two lines. */
interface Rule {
  avoid: RegExp;
  write: string;
}

/** Words to avoid everywhere: in texts, names and comments. */
const neverWords: readonly Rule[] = [
  { avoid: /\bweather\b/gi, write: 'transient failure' },
  { avoid: /\bmend(s|ed|ing)?\b/gi, write: 'fix, repair' },
  { avoid: /\bwhoever\b/gi, write: 'anyone who, the person who' },
  { avoid: /\bwhyever\b/gi, write: 'for whatever reason' },
  { avoid: /\bbrooms?\b/gi, write: 'cleanup message (cleanupOnly)' },
  { avoid: /\bmade-up\b|\bmadeUp/gi, write: 'sample, simulated' },
];

/** Words to avoid in texts that customers read. Names and comments may need some of them. */
const textRules: readonly Rule[] = [
  ...neverWords,
  { avoid: /\bcure[sd]?\b/gi, write: 'fix' },
  { avoid: /\bmeanwhile\b/gi, write: 'in the meantime, until then' },
  { avoid: /\bso\s+long\b/gi, write: 'name the time' },
  { avoid: /\bso\s+many\b/gi, write: 'name the number' },
  { avoid: /\b(is|are|was|were|be|being)\s+away\b/gi, write: 'unavailable' },
  { avoid: /\bout\s+of\s+sight\b/gi, write: 'hidden' },
  { avoid: /\bthe\s+other\s+side\b/gi, write: 'the server, Microsoft' },
  { avoid: /\blanes\b/gi, write: 'serialByKey, one at a time for each key' },
  {
    // Correct where it means "at the same time".
    avoid: /(?<!\b(all|several|many|two|three|four|\d+|checks|instances|requests|runs|tries)\s+)\bat\s+once\b/gi,
    write: 'immediately, or at the same time',
  },
];

/** Documents that customers and operators read. */
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'requests.http',
  ...globSync('docs/**/*.md').sort(),
  ...globSync('{functions,shared,local}/**/*.md').sort(),
  'clients/typescript/README.md',
];

/** Sources whose strings reach people: problems, causes, field messages, the consent page, log events, the demo. */
const speaking = [
  ...globSync('{functions,shared}/**/*.ts').sort(),
  ...globSync('local/{demo,start,start-error}.ts').sort(),
  ...globSync('local/demo/**/*.ts').sort(),
  ...globSync('clients/typescript/src/*.ts').sort(),
];

/** Sources whose names and comments are checked: all but this file, which contains the words. */
const sources = globSync('{functions,shared,local,test,bench,scripts,clients/typescript/{src,scripts}}/**/*.ts')
  .filter((file) => path.basename(file) !== 'plain-english.test.ts')
  .sort();

/** Blanks the comments, so that offsets stay. Biome sets block comments at the start of a line. */
function withoutComments(source: string): string {
  const blank = (comment: string) => comment.replace(/\S/g, ' ');
  return source.replace(/^\s*\/\*[\s\S]*?\*\//gm, blank).replace(/(^|\s)\/\/ .*$/gm, blank);
}

/** Splits names into words: `isWeather` and `IS_WEATHER` become `is Weather`. */
function withSplitNames(source: string): string {
  return source.replace(/([a-z])([A-Z])/g, '$1 $2').replaceAll('_', ' ');
}

function findAll(rules: readonly Rule[], file: string, text: string): string[] {
  return rules.flatMap(({ avoid, write }) =>
    [...text.matchAll(avoid)].map((match) => {
      const line = text.slice(0, match.index).split('\n').length;
      return `${file}:${line}: "${match[0].replace(/\s+/g, ' ')}" → ${write}`;
    }),
  );
}

const read = (file: string) => readFileSync(file, 'utf8');

it('finds the texts, and the words to avoid in them', () => {
  expect(documents).toEqual(expect.arrayContaining(['docs/causes.md', 'docs/deploy.md', 'docs/settings.md']));
  expect(speaking).toEqual(
    expect.arrayContaining([
      'functions/http/consent/consent-page.ts',
      'local/demo.ts',
      'local/demo/mailbox-table.ts',
      'shared/causes/mailbox-causes.ts',
      'shared/edge/answers/problem.ts',
    ]),
  );
  expect(speaking.length).toBeGreaterThan(150);
  const sample = "/** Whoever\n * mends. */\nthrow new Error('It is\\naway, whoever mends it at once.'); // Weather.\n";
  expect(findAll(textRules, 'f', withoutComments(sample))).toHaveLength(3);
  expect(findAll(neverWords, 'f', withSplitNames('isWeather = WEATHER_MAX + madeUpTenant'))).toHaveLength(2);
  expect(findAll(textRules, 'f', 'All at once, two requests at once; then at\nonce.')).toEqual([
    'f:1: "at once" → immediately, or at the same time',
  ]);
});

it('documents are in plain English', () => {
  expect(documents.flatMap((file) => findAll(textRules, file, read(file)))).toEqual([]);
});

it('texts of the app and the demo are in plain English', () => {
  expect(speaking.flatMap((file) => findAll(textRules, file, withoutComments(read(file))))).toEqual([]);
});

it('names and comments are in plain English', () => {
  const found = sources.flatMap((file) => [
    ...findAll(neverWords, file, withSplitNames(file)),
    ...findAll(neverWords, file, read(file)),
    ...findAll(neverWords, file, withSplitNames(read(file))),
  ]);
  expect([...new Set(found)]).toEqual([]);
});
