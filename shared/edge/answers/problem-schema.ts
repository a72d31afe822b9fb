import { z } from 'zod';
import { type ErrorCode, errorCodes } from '../../kernel/errors.ts';
import { problems } from './problem.ts';

/** RFC 9457, with the members that our problems have. */
export const problemSchema = z
  .strictObject({
    type: z.string().meta({ description: 'A link to the page that explains this problem.' }),
    title: z.string().meta({ description: 'What went wrong, the same for every problem with this code.' }),
    status: z.int().meta({ description: 'The HTTP status.' }),
    detail: z.string().optional().meta({ description: 'What went wrong this time, and what to do.' }),
    code: z
      .enum(errorCodes)
      .optional()
      .meta({ description: 'A stable code for programs. Absent if the error is on our side (status 500).' }),
    requestId: z.string().meta({ description: 'Give this ID to our support.' }),
    errors: z
      .array(z.strictObject({ path: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'Every wrong field of the request, at most 100.' }),
    errorsOmitted: z.int().optional().meta({
      description: 'How many more wrong fields were found. The check of a list ends after 10,000 wrong mailboxes.',
    }),
    needed: z.int().optional().meta({ description: 'Slots that the import needs.' }),
    free: z.int().optional().meta({ description: 'Slots that the plan has free.' }),
    limit: z.int().optional().meta({ description: 'The limit that was reached.' }),
    importId: z.string().optional().meta({ description: 'The import that was started from the upload.' }),
    nextCursor: z
      .string()
      .optional()
      .meta({ description: 'The `cursor` with which the same request goes on where this one stopped.' }),
    replacedBy: z.string().optional().meta({ description: 'The API key that has replaced this one.' }),
    line: z.int().optional().meta({ description: 'The line of the file.' }),
    maxBytes: z.int().optional(),
    maxRows: z.int().optional(),
    cause: z.string().optional().meta({ description: 'The cause, if Microsoft refused something.' }),
    fix: z.string().optional().meta({ description: 'How to fix the cause.' }),
    link: z.string().optional().meta({ description: 'A page of Microsoft about the cause.' }),
    permission: z.string().optional().meta({ description: 'The least permission that the app lacks.' }),
    microsoftCode: z.string().optional().meta({ description: 'Microsoft’s own error code.' }),
  })
  .meta({ id: 'Problem', description: 'An error, as RFC 9457 defines it.' });

/** The codes of these problems, by their status. */
export function groupByStatus(codes: readonly ErrorCode[]): Map<number, ErrorCode[]> {
  const groups = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = problems[code];
    groups.set(status, [...(groups.get(status) ?? []), code]);
  }
  return groups;
}
