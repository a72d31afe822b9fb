import { beforeEach, expect } from 'vitest';
import type { DeletedConnection } from '../../shared/connections/connection-store.ts';
import { finishDeletion } from '../../shared/connections/lifecycle/delete-connection.ts';
import { DomainError } from '../../shared/kernel/errors.ts';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { createApi, DOMAIN } from './api.ts';
import { jsonOf } from './json-of.ts';

/** A registration that is accepted. */
export const registration = {
  name: 'Tailspin',
  tenant: DOMAIN,
  clientId: 'E2E0C1D4-7b3f-4a68-8d95-1c6f0b2a9e37',
  clientSecret: GOOD_SECRET,
  clientSecretExpiresAt: '2026-12-01T00:00:00Z',
};

/** The API of the test that runs, and the key of a customer. */
export let api: ReturnType<typeof createApi>;
export let key: string;

/** Gives each test of a file an API of its own. */
export function useApiOfItsOwn(): void {
  beforeEach(async () => {
    api = createApi();
    ({ key } = await api.customer());
  });
}

export const post = (path: string, body?: unknown) => api.request('POST', path, { key, body });

/** Registers a connection. Resolves to its ID. */
export async function register(change: object = {}): Promise<string> {
  const response = await post('/v1/connections', { ...registration, ...change });
  expect(response.status).toBe(201);
  return (await jsonOf<{ id: string }>(response)).id;
}

export interface TestResult {
  verdict: string;
  steps: { step: string; verdict: string; cause?: string }[];
}

/** Runs the connection test. */
export const test = async (id: string) => jsonOf<TestResult>(await post(`/v1/connections/${id}/test`));
export const stepOf = (result: unknown, name: string) => (result as TestResult).steps.find(({ step }) => step === name);
export const connectionOf = async (id: string) =>
  jsonOf<{ status: string }>(await api.request('GET', `/v1/connections/${id}`, { key }));

/** A call that fails because something is unavailable. */
export const unavailable =
  (code: 'vault_unavailable' | 'microsoft_throttled' | 'storage_unavailable') => async (): Promise<never> => {
    throw new DomainError(code, 'Unavailable.', { retryAfterSeconds: 11 });
  };

/** What the queue does with the messages of deletions. */
export async function finishDeletions(): Promise<void> {
  for (const message of api.deps.sent.splice(0) as DeletedConnection[]) await finishDeletion(api.deps, message);
}
