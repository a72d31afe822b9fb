import { z } from 'zod';

/** What the tests read of the properties of a `Microsoft.Insights/scheduledQueryRules`. */
export const logRule = z.object({
  displayName: z.string(),
  severity: z.number(),
  scopes: z.array(z.string()),
  evaluationFrequency: z.string(),
  windowSize: z.string(),
  criteria: z.object({
    allOf: z.array(
      z.object({
        query: z.string(),
        operator: z.string(),
        threshold: z.number(),
        dimensions: z.array(z.object({ name: z.string() })),
      }),
    ),
  }),
  actions: z.object({ actionGroups: z.array(z.string()) }),
});

/** What the tests read of the properties of a `Microsoft.Insights/metricAlerts`. */
export const metricRule = z.object({
  description: z.string(),
  severity: z.number(),
  scopes: z.array(z.string()),
  criteria: z.object({
    allOf: z.array(
      z.object({
        metricName: z.string(),
        timeAggregation: z.string(),
        operator: z.string(),
        threshold: z.number(),
      }),
    ),
  }),
});
