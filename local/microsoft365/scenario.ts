import { z } from 'zod';
import type { callKinds } from './scenario/mailbox.ts';
import { tenantSchema } from './scenario/tenant.ts';

/**
 * A scenario file describes the simulated tenants; README.md lists its fields.
 * Every object is strict, so a misspelt field is reported and not ignored.
 */
const scenarioSchema = z
  .strictObject({ latencyMs: z.number().min(0).default(0), tenants: z.array(tenantSchema) })
  .superRefine((scenario, context) => {
    const seen = new Set<string>();
    for (const [index, tenant] of scenario.tenants.entries()) {
      for (const name of [tenant.id, ...tenant.domains]) {
        if (seen.has(name.toLowerCase())) {
          context.addIssue({ code: 'custom', path: ['tenants', index], message: `${name} belongs to two tenants` });
        }
        seen.add(name.toLowerCase());
      }
    }
  });

export type ScenarioTenant = z.infer<typeof tenantSchema>;
export type Scenario = z.infer<typeof scenarioSchema>;
/** A scenario as it is written in a file: fields with a default may be missing. */
export type ScenarioInput = z.input<typeof scenarioSchema>;
export type ScenarioTenantInput = z.input<typeof tenantSchema>;
export type ScenarioApp = ScenarioTenant['apps'][number];
export type ScenarioMailbox = ScenarioTenant['mailboxes'][number];
export type ScenarioRecipient = ScenarioTenant['recipients'][number];
export type MailboxFault = ScenarioMailbox['fault'];
export type CallKind = (typeof callKinds)[number];

/** Lists every problem of a scenario or a tenant, one per line, each with its path. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
  readonly faults: readonly string[];

  constructor(what: string, faults: readonly string[]) {
    super(`${what} is not valid:\n${faults.map((line) => `  ${line}`).join('\n')}`);
    this.faults = faults;
  }
}

/**
 * Reads a scenario from a file's text or from a parsed value.
 *
 * @throws ScenarioError that lists all problems
 */
export function parseScenario(json: unknown): Scenario {
  return parsed('The scenario', scenarioSchema, typeof json === 'string' ? readJson(json) : json);
}

/** @throws ScenarioError that lists all problems */
export function parseTenant(json: unknown): ScenarioTenant {
  return parsed('The tenant', tenantSchema, json);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new ScenarioError('The scenario', [`not JSON: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

function parsed<T>(what: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ScenarioError(
    what,
    result.error.issues.map((issue) => `${issue.path.map(String).join('.') || '(top)'}: ${issue.message}`),
  );
}
