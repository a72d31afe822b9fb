import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sampleScenario } from '../../local/sample-scenario.ts';
import { useRunningStack } from '../support/running-stack.ts';

// The README of the client, typed word for word in an empty folder.

const running = useRunningStack(sampleScenario());
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'muster-readme-'));
});
afterAll(() => rm(home, { recursive: true }));

/** Runs lines of a shell as a user does, whose home is an empty folder. Resolves to what they print. */
async function run(lines: string, cwd = process.cwd()): Promise<string> {
  // Only what a shell needs: npm hands its own settings down to the scripts that it runs.
  const { PATH } = process.env;
  const { stdout } = await promisify(execFile)('sh', ['-ec', lines], { cwd, env: { PATH, HOME: home } });
  return stdout;
}

it('connects a tenant from an empty folder', async () => {
  const readme = await readFile('clients/typescript/README.md', 'utf8');
  const block = (start: RegExp) => {
    const found = [...readme.matchAll(/^```\w+\n([\s\S]*?)^```$/gm)].find(([, text = '']) => start.test(text));
    if (found?.[1] === undefined) throw new Error(`the README has no block that starts with ${start}`);
    return found[1];
  };
  const project = join(home, 'my-project');
  await mkdir(project);
  await run(block(/^npm pack/));

  // The client's dependencies come from this repository, so that the test needs no registry.
  const names = ['eventsource-parser', 'openapi-fetch', 'openapi-typescript-helpers'];
  await run(
    `npm pack --ignore-scripts --pack-destination ${home} ${names.map((name) => `./node_modules/${name}`).join(' ')}`,
  );
  const archives = (await readdir(home)).filter((name) => name.endsWith('.tgz')).map((name) => join(home, name));
  await run(
    block(/^cd .*\nnpm install/)
      .trim()
      .concat(` --offline ${archives.join(' ')}`),
    home,
  );

  const { apiUrl, operatorKey } = running.stack.local();
  for (const name of ['customer.mjs', 'connect.mjs']) {
    const text = block(new RegExp(`^// ${name}\n`));
    expect(text).toContain('http://127.0.0.1:7071');
    await writeFile(join(project, name), text.replace('http://127.0.0.1:7071', apiUrl));
  }
  const printed = await run(block(/^export MUSTER_OPERATOR_KEY=…/).replace('…', operatorKey), project);
  const withoutProgress = (text: string) =>
    text
      .trim()
      .split('\n')
      .filter((line) => !/^[\d.]+ %$/.test(line));
  expect(withoutProgress(printed)).toEqual(withoutProgress(block(/^The connection test/)));
}, 120_000);
