import type { z } from 'zod';
import { explain } from '../../../shared/causes/explain.ts';
import type { StepResult, TestResult } from '../../../shared/connections/readiness/connection-test.ts';
import type { testResultSchema } from './connection-schemas.ts';

type Presented = z.infer<typeof testResultSchema>;

/** The result of a connection test as the API shows it. Fix and link come from today's catalogue of causes. */
export function presentTestResult({ testedAt, verdict, steps, roles, organization }: TestResult): Presented {
  return {
    testedAt: testedAt.toISOString(),
    verdict,
    steps: steps.map(presentStep),
    roles,
    ...(organization && { organization }),
  };
}

function presentStep(result: StepResult) {
  const { step, service, verdict, cause, detail, microsoftCode, requestId } = result;
  const known = cause === undefined ? undefined : explain(cause, result);
  const sentence = detail ?? known?.sentence;
  return {
    step,
    ...(service !== undefined && { service }),
    verdict,
    ...(cause !== undefined && { cause }),
    ...(sentence !== undefined && { detail: sentence }),
    ...(known && { fix: known.fix, link: known.link }),
    ...(microsoftCode !== undefined && { microsoftCode }),
    ...(requestId !== undefined && { requestId }),
  };
}
