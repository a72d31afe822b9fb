import type { z } from 'zod';
import type { ReportRow } from '../../../shared/imports/reports/report-row.ts';
import type { reportRowSchema } from './report-schemas.ts';

/** One line of an import's report, as the API shows it. */
export function presentReportRow({ problem, ...row }: ReportRow): z.infer<typeof reportRowSchema> {
  return {
    line: row.line,
    address: row.address,
    state: row.state,
    ...(row.mailbox !== undefined && { mailbox: row.mailbox }),
    verdicts: row.verdicts,
    ...(row.cause !== undefined && { cause: row.cause }),
    ...(row.code !== undefined && { code: row.code }),
    ...(problem !== undefined && { detail: problem }),
    ...(row.fix !== undefined && { fix: row.fix }),
    ...(row.link !== undefined && { link: row.link }),
    ...(row.microsoftCode !== undefined && { microsoftCode: row.microsoftCode }),
    ...(row.requestId !== undefined && { requestId: row.requestId }),
    ...(row.checkedAt && { checkedAt: row.checkedAt.toISOString() }),
    ...(row.nextCheckAt && { nextCheckAt: row.nextCheckAt.toISOString() }),
    ...(row.displayName !== undefined && { displayName: row.displayName }),
    ...(row.dailyLimit !== undefined && { dailyLimit: row.dailyLimit }),
    ...(row.reference !== undefined && { reference: row.reference }),
  };
}
