import { app } from '@azure/functions';
import { createLog } from '../shared/edge/telemetry/log.ts';
import { buildDeps } from '../shared/wiring/build-deps.ts';
import { beginTelemetry } from '../shared/wiring/build-telemetry.ts';
import { readConfig, SettingsError } from '../shared/wiring/config.ts';
import { addFunctions, type FunctionDeps } from './add-functions.ts';
import { lazyDocsAssets } from './http/docs/docs-assets.ts';
import { addNotConfigured } from './http/operations/not-configured.ts';

// Uploads are read as a stream. With streaming on, a handler that throws leaves its caller without any answer, so every
// handler is wrapped by the edge.
app.setup({ enableHttpStream: true });

const log = createLog(console);

// In the bundle, this module is dist/index.js. The build puts the files of the API reference beside it.
const docsAssets = lazyDocsAssets(new URL('./docs/', import.meta.url));

async function tryToBuildDeps(): Promise<FunctionDeps | undefined> {
  try {
    const config = readConfig(process.env);
    const endTelemetry = await beginTelemetry(config);
    if (endTelemetry) app.hook.appTerminate(endTelemetry);
    return { ...buildDeps(config, log), docsAssets };
  } catch (error) {
    log('error', 'not_configured', { error });
    const reason = error instanceof SettingsError ? error.message : 'Muster cannot start. Its log says why.';
    addNotConfigured(app, reason);
    return undefined;
  }
}

const deps = await tryToBuildDeps();
if (deps) addFunctions(app, deps);
