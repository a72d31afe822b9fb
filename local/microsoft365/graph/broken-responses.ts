import type { GraphCall } from './graph-call.ts';
import { exchangeError, frontDoorError, type GraphResponse } from './responses.ts';

/** A 200 whose JSON breaks off. */
export function brokenJson(): GraphResponse {
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json' },
    body: '{"@odata.context":"https://gra\u0000\uFFFD',
  };
}

export const emptyServiceUnavailable = (): GraphResponse => ({ status: 503, headers: {} });

/** The error page of a proxy that cannot reach Graph. */
export function gatewayPage(): GraphResponse {
  return {
    status: 502,
    headers: { 'Content-Type': 'text/html' },
    body: '<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>',
  };
}

export const serviceUnavailable = (call: GraphCall): GraphResponse =>
  frontDoorError(call, 503, 'ServiceUnavailable', 'The service is temporarily unavailable.');

/** One of the forms of a 5xx: a Graph error, an empty body, an Exchange error or a proxy's page. `chance` is 0 to 1. */
export function randomServerError(chance: number, call: GraphCall): GraphResponse {
  const forms: (() => GraphResponse)[] = [
    () => serviceUnavailable(call),
    emptyServiceUnavailable,
    () => frontDoorError(call, 502, 'UnknownError', ''),
    () => frontDoorError(call, 504, 'GatewayTimeout', 'The gateway timed out.'),
    () => exchangeError(500, 'ErrorInternalServerError', 'An internal server error occurred. The operation failed.'),
    gatewayPage,
  ];
  const form = forms[Math.floor(chance * forms.length)] ?? emptyServiceUnavailable;
  return form();
}
