import type { AppSettings } from './app-settings.ts';

const PREFIX = 'AzureFunctionsJobHost__';

/**
 * `host.json` with the values of app settings such as `AzureFunctionsJobHost__extensions__queues__batchSize`. The platform
 * reads them in the same way. Digits become a number.
 */
export function overrideHostJson(json: unknown, settings: AppSettings): unknown {
  let result = json;
  for (const [name, value] of Object.entries(settings)) {
    if (name.startsWith(PREFIX) && value !== undefined) {
      result = withValue(result, name.slice(PREFIX.length).split('__'), value);
    }
  }
  return result;
}

function withValue(json: unknown, [name = '', ...rest]: string[], value: string): Record<string, unknown> {
  const object: Record<string, unknown> = { ...(json !== null && typeof json === 'object' ? json : {}) };
  if (rest.length > 0) object[name] = withValue(object[name], rest, value);
  else object[name] = /^\d+$/.test(value) ? Number(value) : value;
  return object;
}
