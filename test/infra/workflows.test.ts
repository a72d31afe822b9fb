import { readdirSync, readFileSync } from 'node:fs';
import { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } from '@actions/workflow-parser';
import { describe, expect, test } from 'vitest';

const FOLDER = '.github/workflows';
const workflows = readdirSync(FOLDER).map((name) => ({ name, text: readFileSync(`${FOLDER}/${name}`, 'utf8') }));

/** What GitHub's own parser says against a workflow: unknown keys, wrong types, expressions that make no sense. */
async function faultsOf(name: string, content: string): Promise<string[]> {
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  if (value) await convertWorkflowTemplate(context, value);
  return context.errors.getErrors().map((error) => error.message);
}

test('there is a workflow for every change, for deployments and for releases', () => {
  expect(workflows.map(({ name }) => name).sort()).toEqual(['ci.yml', 'deploy.yml', 'release.yml']);
});

describe.each(workflows)('$name', ({ name, text }) => {
  const lines = text.split('\n').map((line) => line.trim());
  const valuesOf = (key: string) =>
    lines.map((line) => new RegExp(`^(?:- )?${key}: (.+)$`).exec(line)?.[1]).filter((value) => value !== undefined);

  test('is what GitHub takes', async () => {
    expect(await faultsOf(name, text)).toEqual([]);
  });

  test('a broken workflow is not', async () => {
    expect(await faultsOf(name, text.replace('runs-on:', 'run-on:'))).not.toEqual([]);
    expect(await faultsOf(name, text.replace(/\$\{\{ \w+/, '${{ nothing'))).not.toEqual([]);
  });

  test('uses actions by the SHA of a commit, with the version that it is', () => {
    const used = valuesOf('uses');
    expect(used.length).toBeGreaterThan(0);
    for (const action of used) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test('leaves no token in the checkout, uses no stored secret, and may only read unless it releases', () => {
    const checkouts = valuesOf('uses').filter((action) => action.startsWith('actions/checkout@'));
    expect(valuesOf('persist-credentials')).toEqual(checkouts.map(() => 'false'));
    expect(text).not.toContain('secrets.');
    const writes = lines.filter((line) => /: write$/.test(line));
    const allowed: Record<string, string[]> = {
      'deploy.yml': ['id-token: write'],
      'release.yml': ['contents: write', 'id-token: write', 'attestations: write'],
    };
    expect(writes).toEqual(allowed[name] ?? []);
  });

  test('puts no text of a caller into a shell', () => {
    for (const command of valuesOf('run')) expect(command).not.toContain('${{');
  });

  test('runs only scripts that exist, on the Node that Azure runs', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    for (const [, script = ''] of text.matchAll(/npm run ([\w:-]+)/g)) expect(Object.keys(scripts)).toContain(script);
    const [, version = ''] = /param nodeVersion string = '(\d+)'/.exec(readFileSync('infra/main.bicep', 'utf8')) ?? [];
    expect(new Set(valuesOf('node-version'))).toEqual(new Set([version]));
  });
});
