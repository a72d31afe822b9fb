import type { Api } from './api.ts';
import type { Import } from './types.ts';
import { type WaitOptions, waitUntilStopped } from './wait-until-stopped.ts';

export interface WaitForImportOptions extends WaitOptions<Import> {}

/** Waits until an import has ended, or is paused. See `waitUntilStopped`. */
export function waitForImport({ raw }: Api, importId: string, options?: WaitForImportOptions): Promise<Import> {
  const params = { path: { importId } };
  return waitUntilStopped(
    `import ${importId}`,
    (init) => raw.GET('/v1/imports/{importId}', { params, ...init }),
    options,
  );
}
