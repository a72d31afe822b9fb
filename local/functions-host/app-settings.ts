import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { HostError } from './host-error.ts';

export type AppSettings = Record<string, string | undefined>;

const localSettings = z.looseObject({ Values: z.record(z.string(), z.string()).default({}) });

/** Adds the `Values` of `local.settings.json`, if there is one. The environment takes precedence. */
export function addLocalSettings(appDirectory: string, environment: AppSettings): void {
  let text: string;
  try {
    text = readFileSync(join(appDirectory, 'local.settings.json'), 'utf8');
  } catch {
    return;
  }
  let values: Record<string, string>;
  try {
    values = localSettings.parse(JSON.parse(text)).Values;
  } catch {
    throw new HostError('local.settings.json is not JSON with a "Values" object of strings');
  }
  for (const [name, value] of Object.entries(values)) environment[name] ??= value;
}

/** Replaces each `%NAME%` by the app setting with that name. */
export function resolveSettings(text: string, settings: AppSettings, what: string): string {
  return text.replace(/%([^%]+)%/g, (_, name: string) => {
    const value = settings[name];
    if (!value) throw new HostError(`${what}: %${name}% names an app setting that is not set`);
    return value;
  });
}

export function isDisabled(functionName: string, settings: AppSettings): boolean {
  // Some shells allow no dots in variable names. Azure therefore accepts the second spelling too.
  const value =
    settings[`AzureWebJobs.${functionName}.Disabled`] ?? settings[`AzureWebJobs_${functionName}_Disabled`] ?? '';
  return ['true', '1'].includes(value.toLowerCase());
}

/** The connection string for a trigger's `connection`. Like Azure, it tries the name with the prefix first. */
export function requireConnectionString(connection: unknown, settings: AppSettings, functionName: string): string {
  const name = typeof connection === 'string' && connection !== '' ? connection : 'AzureWebJobsStorage';
  const value = settings[`AzureWebJobs${name}`] ?? settings[name];
  if (!value) {
    throw new HostError(`${functionName}: the app setting ${name} must hold the storage account's connection string`);
  }
  return value;
}
