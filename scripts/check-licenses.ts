import { readLicenses } from './licenses.ts';

/** Lists the licences of the production dependencies. Exits with 1 if one is not on the list of `licenses.ts`. */
const packages = readLicenses('.');
const byLicense = Map.groupBy(packages, ({ license }) => license);
console.log(`Licences of the ${packages.length} production dependencies:`);
for (const [license, group] of [...byLicense].sort(([, a], [, b]) => b.length - a.length)) {
  console.log(`  ${license} (${group.length}): ${group.map(({ name, version }) => `${name}@${version}`).join(', ')}`);
}
const refused = packages.filter(({ isAllowed }) => !isAllowed);
for (const { name, version, license } of refused) {
  console.error(`${name}@${version}: its licence is not on the list in scripts/licenses.ts: ${license}`);
}
process.exitCode = refused.length === 0 ? 0 : 1;
