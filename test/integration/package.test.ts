import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPromise } from 'yauzl';
import { writePackage } from '../../scripts/package.ts';
import { writeZip } from '../../scripts/write-zip.ts';
import { spawnHost } from '../support/functions-host.ts';

/** An empty folder, into which the archive of the package was unpacked. Nothing else of the project is near it. */
let app: string;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-unpacked-'));
  await writePackage('.', join(folder, 'package'));
  await writeZip(join(folder, 'package'), join(folder, 'muster.zip'));
  await rm(join(folder, 'package'), { recursive: true });
  app = join(folder, 'app');
  const zip = await openPromise(join(folder, 'muster.zip'));
  for await (const entry of zip.eachEntry()) {
    const file = join(app, entry.fileName);
    await mkdir(dirname(file), { recursive: true });
    await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(file));
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Settings with which the app registers all its functions. There is no storage: this looks at the package alone. */
const settings = {
  DataStorage: 'UseDevelopmentStorage=true',
  KEY_VAULT_URL: 'https://vault.invalid',
  PUBLIC_URL: 'https://api.invalid',
  OPERATOR_KEY: 'a-key-that-is-long-enough-to-be-accepted',
  AZURE_CLIENT_ID: '00000000-0000-4000-8000-000000000002',
  SWEEP_SCHEDULE: '0 0 0 1 1 *',
  EXPIRY_SCHEDULE: '0 0 0 1 1 *',
  RETENTION_SCHEDULE: '0 0 0 1 1 *',
};

test('the unpacked package runs alone: host.json at its root, every function, the API and its reference', async () => {
  expect(await readdir(app)).toContain('host.json');
  const host = await spawnHost(app, settings).started;
  expect(host.functions).toEqual(expect.arrayContaining(['health-get', 'imports-create', 'check-mailbox', 'tidy-up']));
  const health = await fetch(`${host.url}/v1/health`);
  expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
  const page = await fetch(`${host.url}/docs`);
  expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
  const [, asset = 'no script'] = /src="([^"]+)"/.exec(await page.text()) ?? [];
  expect((await fetch(new URL(asset, `${host.url}/docs`))).status, asset).toBe(200);
  const document = (await (await fetch(`${host.url}/v1/openapi.json`)).json()) as { paths: object };
  expect(Object.keys(document.paths).length).toBeGreaterThan(30);
  expect(await host.stop()).toBe(0);
});

test('what is loaded late can be loaded from the unpacked package', async () => {
  const chunks = await readdir(join(app, 'dist/chunks'));
  const late = ['credential', 'graph-client', 'imap-probe', 'smtp-probe', 'nodemailer', 'token-request'];
  const files = late.map((name) => chunks.find((one) => one.startsWith(`${name}-`) && one.endsWith('.js')) ?? name);
  // In a process of its own, because the test runner would transform megabytes of code.
  const script = `for (const file of ${JSON.stringify(files)}) {
    const loaded = await import(new URL(file, ${JSON.stringify(`${pathToFileURL(join(app, 'dist/chunks')).href}/`)}));
    console.log(Object.values(loaded).some((one) => typeof one === 'function'));
  }`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  expect(stdout.trim().split('\n')).toEqual(late.map(() => 'true'));
});
