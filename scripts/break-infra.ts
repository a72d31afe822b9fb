import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Breakage, breakages } from '../test/infra/breakages.ts';

/**
 * `node scripts/break-infra.ts [--checker FILE] [--only TEXT]`: makes each defect of `test/infra/breakages.ts` in a copy, one
 * at a time, and prints which test notices it. Fails if a defect stays unnoticed. With `--checker`, also runs that checker
 * of Bicep in the copy. Takes a few seconds for each defect.
 */
const { values } = parseArgs({ options: { checker: { type: 'string' }, only: { type: 'string', default: '' } } });
/** They do not read `infra/`, or read what only a build has. */
const LEFT_OUT = [
  'package',
  'breakages',
  'settings',
  'local-settings',
  'put-operator-key',
  'check-deployment',
  'kql/run',
];

/** They load Microsoft's parser, and are about these files only. */
const OF_QUERIES = ['alerts', 'workbook'];
const HAS_QUERIES = /alerts|workbook|signals/;

const copy = mkdtempSync(join(tmpdir(), 'muster-infra-'));
try {
  const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard']);
  execFileSync('tar', ['--null', '--files-from=-', '-cf', `${copy}.tar`], { input: tracked });
  execFileSync('tar', ['-xf', `${copy}.tar`, '-C', copy]);
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
  const unbroken = findings([]);
  if (unbroken.length > 0) throw new Error(`fails without any defect: ${unbroken.join(', ')}`);
  const chosen = breakages.filter(({ what }) => what.includes(values.only));
  const unnoticed = chosen.filter((breakage) => {
    const noticed = findingsWith(breakage);
    console.log(`| ${breakage.what} | ${noticed[0] ?? '**nothing**'} | ${noticed.length} |`);
    return noticed.length === 0;
  });
  console.log(`${chosen.length - unnoticed.length} of ${chosen.length} defects are noticed.`);
  if (unnoticed.length > 0) process.exitCode = 1;
} finally {
  rmSync(copy, { recursive: true });
  rmSync(`${copy}.tar`, { force: true });
}

function findingsWith({ file, from, to }: Breakage): string[] {
  const path = join(copy, file);
  const text = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
  try {
    return findings(HAS_QUERIES.test(file) ? [] : OF_QUERIES);
  } finally {
    writeFileSync(path, text);
  }
}

/** The tests that fail in the copy, and what the checker finds there. */
function findings(without: string[]): string[] {
  const left = new Set([...LEFT_OUT, ...without].map((name) => `${name}.test.ts`));
  // `--exclude` does not reach the projects of the configuration.
  const all = readdirSync(join(copy, 'test/infra'), { recursive: true, encoding: 'utf8' });
  const files = all.filter((name) => name.endsWith('.test.ts') && !left.has(name)).map((name) => `test/infra/${name}`);
  const output = join(copy, 'report.json');
  const json = ['--reporter=json', `--outputFile.json=${output}`];
  // One process for all files: starting many takes longer than the tests.
  const together = ['--no-isolate', '--maxWorkers=1'];
  spawnSync('npx', ['vitest', 'run', ...files, ...together, ...json], { cwd: copy, encoding: 'utf8' });
  const report = JSON.parse(readFileSync(output, 'utf8'));
  const failed: string[] = report.testResults.flatMap(
    (file: { name: string; message: string; assertionResults: { status: string; fullName: string }[] }) => {
      const path = file.name.replace(`${copy}/`, '');
      const tests = file.assertionResults.filter(({ status }) => status === 'failed');
      if (tests.length === 0 && file.message) return [`${path}: ${file.message.split('\n', 1)[0]}`];
      return tests.map(({ fullName }) => `${path}: ${fullName}`);
    },
  );
  return [...failed, ...checkerFindings()];
}

function checkerFindings(): string[] {
  if (!values.checker) return [];
  const run = spawnSync('npx', ['node', resolve(values.checker), '--strict'], { cwd: copy, encoding: 'utf8' });
  return run.status === 0 ? [] : [`checker: ${run.stdout.split('\n', 1)[0]}`];
}
