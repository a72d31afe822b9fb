import { z } from 'zod';
import { causeCodes } from '../../shared/causes/causes.ts';
import { probes, verdicts } from '../../shared/causes/verdict.ts';
import { instant } from '../../shared/edge/answers/response-fields.ts';

export const causeSchema = z
  .enum(causeCodes)
  .meta({ id: 'Cause', description: 'Why a check did not pass. docs/causes.md explains each cause.' });
export const verdictSchema = z.enum(verdicts).meta({ id: 'Verdict' });
export const probeSchema = z.enum(probes).meta({ id: 'Probe', description: 'A question that a check can ask.' });

/** What explains a verdict: the cause's sentence, and how to fix it. */
export const explanation = {
  detail: z.string().meta({ description: 'What is wrong.' }),
  fix: z.string().meta({ description: 'How to fix it.' }),
  link: z.string().meta({ description: 'A page of Microsoft about it.' }),
};

/** Microsoft's own code and request ID, for Microsoft's support. */
export const microsoftIds = {
  microsoftCode: z.string().optional().meta({ description: 'Microsoft’s own error code.' }),
  requestId: z.string().optional().meta({ description: 'Microsoft’s ID of the request.' }),
};

export const connectionFindingSchema = z
  .strictObject({ cause: causeSchema, ...explanation, seenAt: instant, ...microsoftIds })
  .meta({ id: 'ConnectionFinding', description: 'A problem that concerns the whole connection.' });

export const probeFindingSchema = z
  .strictObject({
    verdict: verdictSchema,
    checkedAt: instant,
    cause: causeSchema.optional(),
    detail: explanation.detail.optional(),
    fix: explanation.fix.optional(),
    link: explanation.link.optional(),
    ...microsoftIds,
  })
  .meta({ id: 'ProbeFinding', description: 'The latest answer of one probe about a mailbox.' });
