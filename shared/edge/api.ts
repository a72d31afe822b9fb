import type { app, HttpHandler } from '@azure/functions';
import type { z } from 'zod';
import type { Permission } from '../kernel/actor.ts';
import { createEndpoint, type Endpoint, type EndpointDeps } from './endpoint.ts';
import { type PublicEndpoint, publicEndpoint } from './public-endpoint.ts';
import type { BodyKind } from './request-body.ts';
import type { RouteDescription } from './route.ts';

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
}

/** Where routes are registered: with the Functions host, and in the list that the OpenAPI document is made from. */
export interface Api {
  readonly routes: readonly RegisteredRoute[];
  /** Registers a route that requires an API key. */
  route<
    Body = undefined,
    Query = Record<string, never>,
    Mode extends 'required' | 'none' = 'required',
    Kind extends BodyKind = 'json',
  >(route: RouteDescription & Endpoint<Body, Query, Mode, Kind>): void;
  /** Registers a route that is open to everyone. */
  publicRoute<Query = undefined>(route: RouteDescription & PublicEndpoint<Query>): void;
}

export function createApi(host: Pick<typeof app, 'http'>, deps: EndpointDeps): Api {
  const routes: RegisteredRoute[] = [];
  const endpoint = createEndpoint(deps);

  function register(route: RegisteredRoute, handler: HttpHandler): void {
    routes.push(route);
    const { name, method, path } = route;
    host.http(name, { methods: [method], route: path, authLevel: 'anonymous', handler });
  }

  return {
    routes,
    route: (route) => register({ ...route, customer: route.customer ?? 'required' }, endpoint(route)),
    publicRoute: (route) => register({ ...route, customer: 'none' }, publicEndpoint(route)),
  };
}
