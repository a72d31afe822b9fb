import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { bundleApp, type HostProcess, spawnHost } from './functions-host.ts';

/** Runs the app of `test/fixtures/edge-app` in the functions host, for all tests of a file. */
export function useEdgeApp(): { readonly url: string } {
  let app: string;
  let host: HostProcess;
  beforeAll(async () => {
    app = mkdtempSync(join(tmpdir(), 'edge-app-'));
    cpSync('test/fixtures/functions-app/host.json', join(app, 'host.json'));
    writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'edge-app', type: 'module', main: 'index.js' }));
    await bundleApp('test/fixtures/edge-app/index.ts', join(app, 'index.js'));
    host = await spawnHost(app, {}).started;
  });
  afterAll(async () => {
    await host?.stop();
    rmSync(app, { recursive: true, force: true });
  });
  return {
    get url() {
      return host.url;
    },
  };
}
