import { readFileSync } from 'node:fs';
import { addFunctions } from '../functions/add-functions.ts';
import { createOpenApi } from '../shared/edge/routes/openapi.ts';
import { buildDeps } from '../shared/wiring/build-deps.ts';
import { readConfig } from '../shared/wiring/config.ts';

/** Takes registrations and does nothing with them. */
const host = { http: () => undefined, storageQueue: () => undefined, timer: () => undefined };

/** The text of docs/openapi.json: the document of the app with its default settings. */
export function openApiDocument(): string {
  const { Values } = JSON.parse(readFileSync('local.settings.example.json', 'utf8')) as {
    Values: Record<string, string>;
  };
  const deps = buildDeps(readConfig(Values), () => undefined);
  const api = addFunctions(host, { ...deps, docsAssets: async () => [] });
  return `${JSON.stringify(createOpenApi(api, '/'), null, 2)}\n`;
}
