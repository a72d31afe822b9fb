import { z } from 'zod';
import { type CheckScopeDeps, checkScope } from '../../../shared/checks/scope-check/check-scope.ts';
import { addressField } from '../../../shared/edge/requests/fields.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import { presentScopeCheck } from './present-scope-check.ts';
import { scopeCheckSchema } from './scope-schemas.ts';

type Deps = EndpointDeps & CheckScopeDeps;

/** One check stays within the time of a request, and its result within a record, with this many addresses. */
const OFF_LIMITS_MAX = 20;

const offLimits = z
  .array(addressField)
  .min(1)
  .max(OFF_LIMITS_MAX)
  .refine((list) => new Set(list).size === list.length, 'names an address twice')
  .meta({ description: 'Mailboxes at which Microsoft must refuse the app.' });

export function addScopeCheckRoute(api: Api, deps: Deps): void {
  api.route({
    name: 'connections-scope-check',
    method: 'POST',
    path: 'v1/connections/{connectionId}/scope-check',
    tag: 'Connections',
    summary: 'Check that the app is refused where it should be',
    description:
      'Asks Microsoft about each address, by calls that need a right and have no effect: nothing is read of what is in the mailboxes, nothing is written, nothing is sent. A mailbox in scope is asked in the same way, because an app without any permission is refused everywhere. If Microsoft is throttled, unavailable or slow, the verdict is `inconclusive`.',
    responses: {
      200: {
        description: 'The result, whatever it is. It is kept on the connection.',
        schema: scopeCheckSchema,
        headers: { 'Retry-After': 'Seconds until it is worth checking again. Only if Microsoft did not answer.' },
      },
    },
    permission: 'administer',
    testsConnection: true,
    body: z
      .strictObject({
        offLimits,
        inScope: addressField.optional().meta({
          description:
            'A mailbox that the app should be able to use. Without it: the default mailbox, or else one that has passed its check.',
        }),
      })
      .refine(({ offLimits, inScope }) => inScope === undefined || !offLimits.includes(inScope), {
        path: ['inScope'],
        message: 'is also off limits',
      }),
    async handle({ actor, params, body }) {
      const checked = await checkScope(deps, actor, params.connectionId ?? '', body);
      const { result, connection, retryAfterSeconds } = checked;
      const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
      return { headers, jsonBody: presentScopeCheck(result, connection, deps.clock.now()) };
    },
  });
}
