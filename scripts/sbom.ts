import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runNpm } from './npm.ts';

interface Component {
  'bom-ref': string;
  name: string;
}

/** The parts of a CycloneDX document that are read or changed here. */
interface Sbom {
  metadata: { component: Component };
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

/**
 * The CycloneDX SBOM of the production dependencies that `package-lock.json` pins, in `root`.
 *
 * `npm sbom --omit=dev` would leave out every package that a development dependency uses as well: half of them. So
 * npm lists everything, and what cannot be reached from the production dependencies is removed here.
 */
export function createSbom(root: string): Sbom {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { exitCode, output } = runNpm(root, 'sbom', '--sbom-format=cyclonedx', '--package-lock-only');
  if (exitCode !== 0) throw new Error(`npm sbom failed. Run it by hand to see why:\n${output}`);
  return keepProduction(JSON.parse(output), manifest);
}

/** Keeps the app, its `dependencies`, and everything that these depend on. */
export function keepProduction(all: Sbom, manifest: { name: string; dependencies: Record<string, string> }): Sbom {
  const { component } = all.metadata;
  const root = component['bom-ref'];
  const nameOf = new Map(all.components.map((one) => [one['bom-ref'], one.name]));
  const edges = new Map(
    all.dependencies.map(({ ref, dependsOn }) => [
      ref,
      ref === root ? dependsOn.filter((to) => Object.hasOwn(manifest.dependencies, nameOf.get(to) ?? '')) : dependsOn,
    ]),
  );
  const kept = new Set([root]);
  // A set that grows while it is walked visits what is added.
  for (const ref of kept) for (const to of edges.get(ref) ?? []) kept.add(to);
  return {
    ...all,
    // npm takes the name of the folder.
    metadata: { ...all.metadata, component: { ...component, name: manifest.name } },
    components: all.components.filter((one) => kept.has(one['bom-ref'])),
    dependencies: [...edges].filter(([ref]) => kept.has(ref)).map(([ref, dependsOn]) => ({ ref, dependsOn })),
  };
}
