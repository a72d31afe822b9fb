import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OPERATOR_KEY_NAME } from '../../infra/hooks/put-operator-key.ts';

const azureYaml = readFileSync('azure.yaml', 'utf8');
const main = readFileSync('infra/main.bicep', 'utf8');
const scripts = [...azureYaml.matchAll(/node (\S+\.ts)$/gm)].map(([, path = '']) => path);

test('runs only existing scripts, and the same ones on every operating system', () => {
  expect(scripts).toHaveLength(4);
  expect(scripts.filter((path) => !existsSync(path))).toEqual([]);
  expect(scripts.filter((_, index) => index % 2 === 0)).toEqual(scripts.filter((_, index) => index % 2 === 1));
});

test('uploads the package that scripts/package.ts writes, without a build in Azure', () => {
  expect(azureYaml).toMatch(/^ {4}dist: \.package$/m);
  expect(azureYaml).toMatch(/^ {4}remoteBuild: false$/m);
  expect(azureYaml.match(/^ {10}run: npm run --silent package$/gm)).toHaveLength(2);
  const { scripts: named } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(named.package).toBe('npm run --silent build && node scripts/package.ts');
  expect(readFileSync('scripts/package.ts', 'utf8')).toContain("writePackage('.', '.package')");
  expect(readFileSync('.gitignore', 'utf8').split('\n')).toContain('.package/');
});

test('hooks read only outputs of the deployment', () => {
  const namesRead = scripts.flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/requireValue\('(\w+)'\)/g)].map(([, name = '']) => name),
  );
  expect(namesRead.length).toBeGreaterThan(0);
  for (const name of namesRead) expect(main).toMatch(new RegExp(`^output ${name} string =`, 'm'));
});

test('the hook stores the operator key under the name that the app reads', () => {
  expect(readFileSync('infra/app/api.bicep', 'utf8')).toContain(`secrets/${OPERATOR_KEY_NAME})`);
});

test('docs/deploy.md and the parameters have the same MUSTER_ variables', () => {
  const names = (path: string) => new Set(readFileSync(path, 'utf8').match(/MUSTER_[A-Z_]+/g));
  const documented = names('docs/deploy.md');
  documented.delete('MUSTER_');
  expect([...documented].sort()).toEqual([...names('infra/main.parameters.json')].sort());
});
