import type { app, HttpHandler } from '@azure/functions';
import type { z } from 'zod';
import type { Permission } from '../../kernel/actor.ts';
import type { BodyKind } from '../bodies/request-body.ts';
import { asCallerSent } from '../requests/caller-request.ts';
import { pathParams } from '../requests/path-params.ts';
import { createEndpoint, type Endpoint, type EndpointDeps } from './endpoint.ts';
import { createPublicEndpoint, type PublicEndpoint } from './public-endpoint.ts';
import type { RouteDescription } from './route.ts';
import { createUnknownRoute, type KnownRoute, UNKNOWN_ROUTE } from './unknown-route.ts';

/** A route as it was registered: everything that a caller can know about it. */
export interface RegisteredRoute extends RouteDescription {
  /** Absent on a route that is open to everyone. */
  permission?: Permission;
  /** Whether the caller acts for one customer. */
  customer: 'required' | 'none';
  body?: z.ZodType;
  bodyKind?: BodyKind;
  query?: z.ZodType;
  list?: boolean;
  continues?: boolean;
  /** Present if problems are shown as a page. */
  showProblem?: unknown;
}

/** A page or file for a browser: open to everyone, and no part of the API. */
export interface RegisteredPage {
  /** The function's name in Azure: `problem-page`. */
  name: string;
  /** Outside `v1/`, where everything is part of the API. */
  path: string;
}

/** An event that is sent to receivers: for the OpenAPI document. */
export interface RegisteredWebhook {
  /** The type of the event: `import.completed`. */
  name: string;
  summary: string;
  /** Of the body. */
  schema: z.ZodType;
}

/** Where routes are registered: with the Functions host, and in the list that the OpenAPI document is made from. */
export interface Api {
  readonly routes: readonly RegisteredRoute[];
  readonly webhooks: readonly RegisteredWebhook[];
  /** Registers a route that requires an API key. */
  route<
    Body = undefined,
    Query = Record<string, never>,
    Mode extends 'required' | 'none' = 'required',
    Kind extends BodyKind = 'json',
  >(route: RouteDescription & Endpoint<Body, Query, Mode, Kind>): void;
  /** Registers a route that is open to everyone. */
  publicRoute<Query = undefined>(route: RouteDescription & PublicEndpoint<Query>): void;
  /** Describes an event in the OpenAPI document. */
  webhook(webhook: RegisteredWebhook): void;
  /** Registers a page. It is not in the OpenAPI document. */
  page(page: RegisteredPage & PublicEndpoint<undefined>): void;
  /** Answers every other path and method with a problem. */
  refuseUnknownRoutes(): void;
}

export function createApi(host: Pick<typeof app, 'http'>, deps: EndpointDeps): Api {
  const routes: RegisteredRoute[] = [];
  const webhooks: RegisteredWebhook[] = [];
  const known: KnownRoute[] = [];
  const endpoint = createEndpoint(deps);
  const publicEndpoint = createPublicEndpoint(deps);
  const unknownRoute = createUnknownRoute(deps, known);

  function add(name: string, route: KnownRoute, handler: HttpHandler): void {
    known.push(route);
    host.http(name, {
      methods: [route.method],
      route: route.path,
      authLevel: 'anonymous',
      handler(request, context) {
        const params = pathParams(route.path, new URL(request.url).pathname);
        if (!params) return unknownRoute(request, context);
        return handler(asCallerSent(request, deps.outlets.headersOf(context.invocationId), params), context);
      },
    });
  }

  function register(route: RegisteredRoute, handler: HttpHandler): void {
    routes.push(route);
    add(route.name, route, handler);
  }

  return {
    routes,
    webhooks,
    route: (route) => register({ ...route, customer: route.customer ?? 'required' }, endpoint(route)),
    publicRoute: (route) => register({ ...route, customer: 'none' }, publicEndpoint(route)),
    webhook: (webhook) => void webhooks.push(webhook),
    page: (page) => add(page.name, { method: 'GET', path: page.path }, publicEndpoint(page)),
    refuseUnknownRoutes: () => host.http(UNKNOWN_ROUTE.name, { ...UNKNOWN_ROUTE, handler: unknownRoute }),
  };
}
