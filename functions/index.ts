import { app } from '@azure/functions';
import { buildDeps } from '../shared/wiring/build-deps.ts';
import { readConfig } from '../shared/wiring/config.ts';
import { addFunctions } from './add-functions.ts';
import { lazyDocsAssets } from './http/docs/docs-assets.ts';

// Uploads are read as a stream. With streaming on, a handler that throws leaves its caller without any answer, so every
// handler is wrapped by the edge.
app.setup({ enableHttpStream: true });

const deps = buildDeps(readConfig(process.env), (level, event, fields) =>
  console[level](JSON.stringify({ event, ...fields })),
);

// In the bundle, this module is dist/index.js. The build puts the files of the API reference beside it.
const docsAssets = lazyDocsAssets(new URL('./docs/', import.meta.url));

addFunctions(app, { ...deps, docsAssets });
