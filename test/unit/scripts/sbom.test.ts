import { homedir } from 'node:os';
import { expect, it } from 'vitest';
import { readLicenses } from '../../../scripts/licenses.ts';
import { createSbom, keepProduction } from '../../../scripts/sbom.ts';

const component = (name: string) => ({ 'bom-ref': `${name}@1.0.0`, name });
const names = (components: { name: string }[]) => components.map(({ name }) => name).sort();

it('keeps what production uses, even if a development dependency uses it too', () => {
  const edge = (from: string, ...to: string[]) => ({
    ref: `${from}@1.0.0`,
    dependsOn: to.map((one) => `${one}@1.0.0`),
  });
  const all = {
    metadata: { component: component('folder') },
    components: ['web', 'shared', 'deep', 'tester', 'runner', 'workspace'].map(component),
    dependencies: [
      edge('folder', 'web', 'tester', 'workspace'),
      edge('web', 'shared'),
      edge('shared', 'deep'),
      edge('deep', 'shared'),
      edge('tester', 'shared', 'runner'),
      edge('runner'),
      edge('workspace', 'runner'),
    ],
  };
  const kept = keepProduction(all, { name: 'app', dependencies: { web: '1.0.0' } });
  expect(kept.metadata.component.name).toBe('app');
  expect(names(kept.components)).toEqual(['deep', 'shared', 'web']);
  expect(kept.dependencies).toEqual([
    edge('folder', 'web'),
    edge('web', 'shared'),
    edge('shared', 'deep'),
    edge('deep', 'shared'),
  ]);
});

it('lists every package whose licence is checked, and no development tool', () => {
  const { components } = createSbom('.');
  const listed = new Set(components.map((one) => one['bom-ref']));
  // The typed client's own packages are not deployed with the app. Their licences are checked all the same.
  const ofTheClient = ['eventsource-parser', 'openapi-fetch', 'openapi-typescript-helpers'];
  const deployed = readLicenses('.').filter(({ name }) => !ofTheClient.includes(name));
  const checked = new Set(deployed.map(({ name, version }) => `${name}@${version}`));
  expect([...checked].filter((one) => !listed.has(one))).toEqual([]);
  expect(names(components)).not.toContain('vitest');
});

it('names no path of the machine that wrote it', () => {
  const text = JSON.stringify(createSbom('.'));
  for (const path of [process.cwd(), homedir(), 'file:']) expect(text).not.toContain(path);
});
