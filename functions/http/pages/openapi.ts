import { z } from 'zod';
import type { Api } from '../../../shared/edge/routes/api.ts';
import { createOpenApi } from '../../../shared/edge/routes/openapi.ts';

/** Registered last: the document describes the routes that are registered by then, this one included. */
export function addOpenApiRoute(api: Api, deps: { publicUrl: string }): void {
  let document: ReturnType<typeof createOpenApi> | undefined;
  api.publicRoute({
    name: 'openapi-get',
    method: 'GET',
    path: 'v1/openapi.json',
    tag: 'Operations',
    summary: 'Get this document',
    responses: { 200: { description: 'The OpenAPI document of this API.', schema: z.looseObject({}) } },
    async handle() {
      document ??= createOpenApi(api, deps.publicUrl);
      return { jsonBody: document };
    },
  });
}
