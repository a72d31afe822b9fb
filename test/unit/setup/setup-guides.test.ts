import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { causeCodes } from '../../../shared/causes/causes.ts';
import { guides, guidesOf } from '../../../shared/causes/guides.ts';
import { writeRegistrationScript } from '../../../shared/setup/setup-script.ts';
import { createApi } from '../../support/api.ts';
import { parsePowerShell } from '../../support/powershell.ts';
import { type Instruction, placeholdersOf, setupGuides } from '../../support/setup-guide.ts';

const { routes } = createApi();
const registration = {
  cloud: 'global',
  appName: 'Muster',
  access: 'graph',
  redirectUri: 'https://muster.example/v1/consent/callback',
  undo: false,
} as const;

it('causes lead only to guides that exist, under their titles, and every guide is reached from a cause', () => {
  const titles = setupGuides.map(({ path, text }) => [path.replace(/^.*\/|\.md$/g, ''), text.match(/^# (.+)$/m)?.[1]]);
  expect(Object.fromEntries(titles)).toEqual(guides);
  expect(new Set(Object.values(guidesOf).flat())).toEqual(new Set(Object.keys(guides)));
});

it.each(['README', 'run-a-script'])('what %s.md tells people to type is PowerShell', (name) => {
  const page = readFileSync(`docs/setup/${name}.md`, 'utf8');
  const blocks = [...page.matchAll(/```powershell\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  expect(blocks.map((block) => parsePowerShell(block).faults)).toEqual([[]]);
});

it('the overview leads to every guide', () => {
  const overview = readFileSync('docs/setup/README.md', 'utf8');
  expect(setupGuides.length).toBeGreaterThanOrEqual(5);
  for (const { path } of setupGuides) expect(overview).toContain(`](${path.replace('docs/setup/', '')})`);
});

describe.each(setupGuides.map((guide) => [guide.path, guide] as const))('%s', (_, guide) => {
  const all = guide.steps.flatMap(({ instructions }) => instructions);

  it('says who can do it, what is needed before, what goes wrong and how to take it back', () => {
    for (const heading of ['Who can do it', 'Before you start', 'What goes wrong', 'Take it back']) {
      expect(guide.headings).toContain(heading);
    }
    expect(guide.startsWith).toContain('API key');
    expect(guide.steps.map(({ title }) => Number.parseInt(title, 10))).toEqual(
      guide.steps.map((_, index) => index + 1),
    );
  });

  it('shows every value before a step needs it, and names every value that a request has', () => {
    const shown = new Set(guide.startsWith);
    let needed: readonly string[] = [];
    for (const one of all) {
      if (one.kind === 'need') {
        needed = one.names;
        expect([...shown]).toEqual(expect.arrayContaining(needed as string[]));
      }
      if (one.kind === 'copy') shown.add(one.name);
      if (one.kind === 'request') {
        expect([...needed]).toEqual(expect.arrayContaining(placeholdersOf(one.path + (one.body ?? ''))));
      }
    }
  });

  it('asks for nothing to be copied that no step needs', () => {
    const needed = new Set(all.flatMap((one) => (one.kind === 'need' ? one.names : [])));
    const copied = all.flatMap((one) => (one.kind === 'copy' ? [one.name] : []));
    expect([...guide.startsWith, ...copied].filter((name) => !needed.has(name))).toEqual([]);
  });

  it('uses only routes that exist, also in sentences', () => {
    const named = [
      ...guide.text.replaceAll(/\{\{[^}]*\}\}/g, 'some_id').matchAll(/\b(GET|POST|PUT|PATCH|DELETE) \/(v1\/[^\s`?]+)/g),
    ];
    expect(named.length).toBeGreaterThan(2);
    const unknown = named.filter(([, method, path = '']) => {
      const pattern = (route = '') => new RegExp(`^${route.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
      const plain = path.replaceAll(/\{\w+\}/g, 'some_id');
      return !routes.some(({ methods, route }) => String(methods?.[0]) === method && pattern(route).test(plain));
    });
    expect(unknown.map(([call]) => call)).toEqual([]);
  });

  it('its script replaces the steps before the connection: it prints every value that they show', () => {
    if (!guide.byScript) return;
    const byHand = beforeConnection(all);
    const copies = guide.byScript.instructions.flatMap((one) => (one.kind === 'copy' ? [one] : []));
    expect(copies.map(({ name }) => name)).toEqual(expect.arrayContaining(byHand));
    const { text } = writeRegistrationScript(registration);
    for (const { from } of copies) expect(text).toContain(`Write-Host "  ${from.field}: `);
  });

  it('links the causes that can happen, and Microsoft’s page for what Microsoft does', () => {
    const causes = [...guide.text.matchAll(/\(\.\.\/causes\.md#(\w+)\)/g)].map(([, code]) => code);
    expect(causes.length).toBeGreaterThan(3);
    expect(causes.filter((code) => !(causeCodes as readonly string[]).includes(code ?? ''))).toEqual([]);
    const inPortals = guide.steps.filter(({ text }) =>
      /\]\(https:\/\/(?:entra|admin\.exchange)\.microsoft\.com\)/.test(text),
    );
    expect(guide.text).toContain('](https://learn.microsoft.com/');
    for (const { title, text } of inPortals) expect(`${title} ${text}`).toContain('https://learn.microsoft.com/');
  });
});

/** What the steps by hand show in the portal of Entra, before the first request. */
function beforeConnection(instructions: readonly Instruction[]): string[] {
  const first = instructions.findIndex(({ kind }) => kind === 'request');
  return instructions
    .slice(0, first)
    .flatMap((one) => (one.kind === 'copy' && !one.from.field.startsWith('Exchange') ? [one.name] : []));
}
