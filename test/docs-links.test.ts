import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const documents = [
  ...globSync('*.md').sort(),
  'clients/typescript/README.md',
  ...globSync('{docs,functions,shared,local,bench,infra,scripts,test}/**/*.md').sort(),
];

/** Folders that CONTRIBUTING.md names for features that do not exist yet. */
const planned = ['console/'];

const read = (file: string) => readFileSync(file, 'utf8');
const withoutCodeBlocks = (markdown: string) => markdown.replace(/^ *```[\s\S]*?^ *```/gm, '');
const prose = (markdown: string) => withoutCodeBlocks(markdown).replace(/`[^`\n]*`/g, '');

/** The targets of the links and pictures in a text, without those on the web. */
function relativeTargets(markdown: string): string[] {
  return [...prose(markdown).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors that GitHub gives to the headings: lower case, no punctuation, and hyphens for spaces. */
function anchorsOf(markdown: string): string[] {
  const counts = new Map<string, number>();
  return [...withoutCodeBlocks(markdown).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = '']) => {
    const slug = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-');
    const repeated = counts.get(slug) ?? 0;
    counts.set(slug, repeated + 1);
    return repeated === 0 ? slug : `${slug}-${repeated}`;
  });
}

/** The file and the anchor of a target, or what is wrong with it. */
function faultOf(file: string, target: string): string | undefined {
  const [name = '', anchor] = target.split('#');
  const linked = name === '' ? file : path.normalize(path.join(path.dirname(file), name));
  if (!existsSync(linked)) return `${file}: ${target} does not exist`;
  if (anchor === undefined) return undefined;
  const hasAnchor = statSync(linked).isFile() && anchorsOf(read(linked)).includes(anchor);
  return hasAnchor ? undefined : `${file}: ${target} names no heading of ${linked}`;
}

/** The paths from the root that a text names in backticks. */
function namedPaths(markdown: string): string[] {
  const roots = /^(?:clients|console|docs|functions|infra|local|bench|scripts|shared|test)\//;
  return [...withoutCodeBlocks(markdown).matchAll(/`([^`\s]+)`/g)]
    .map(([, name = '']) => name)
    .filter((name) => roots.test(name) && !/[<…*(]/.test(name));
}

it('finds what it looks at', () => {
  expect(documents).toEqual(expect.arrayContaining(['README.md', 'docs/causes.md', 'shared/imports/README.md']));
  expect(documents.flatMap((file) => relativeTargets(read(file))).length).toBeGreaterThan(80);
  expect(documents.flatMap((file) => namedPaths(read(file))).length).toBeGreaterThan(50);
  expect(relativeTargets('[a](b.md#c) `[no](code)` ![d](e.svg) [f](https://g.example)')).toEqual(['b.md#c', 'e.svg']);
  expect(anchorsOf('# Probes: what proves *write*?\n\n```sh\n# no heading\n```\n## a_b\n## a_b')).toEqual([
    'probes-what-proves-write',
    'a_b',
    'a_b-1',
  ]);
  expect(faultOf('README.md', '#no-such-heading')).toContain('names no heading');
  expect(faultOf('docs/deploy.md', 'no-such-file.md')).toContain('does not exist');
});

it('every relative link leads to a file, and to a heading if it names one', () => {
  const faults = documents.flatMap((file) => relativeTargets(read(file)).map((target) => faultOf(file, target)));
  expect(faults.filter(Boolean)).toEqual([]);
});

it('every path in backticks exists, or is planned', () => {
  const missing = documents.flatMap((file) =>
    namedPaths(read(file))
      .filter(
        (name) => !planned.includes(name) && !existsSync(name) && !existsSync(path.join(path.dirname(file), name)),
      )
      .map((name) => `${file}: ${name}`),
  );
  expect(missing).toEqual([]);
  expect(planned.filter((name) => existsSync(name))).toEqual([]);
});

it('every source in square brackets is listed, and every listed source is used', () => {
  for (const file of ['docs/microsoft365.md', 'docs/functions-platform.md']) {
    const text = prose(read(file));
    const listed = [...text.matchAll(/^\[([a-z0-9-]+)\]: /gm)].map(([, name = '']) => name);
    const used = [...text.matchAll(/\[([a-z0-9-]+)\](?![(:\w])/g)].map(([, name = '']) => name);
    expect(listed.length, file).toBeGreaterThan(10);
    expect(
      used.filter((name) => !listed.includes(name)),
      file,
    ).toEqual([]);
    expect(
      listed.filter((name) => !used.includes(name)),
      file,
    ).toEqual([]);
  }
});
