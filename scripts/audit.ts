export type Audit =
  | { outcome: 'clean' | 'vulnerable' }
  /** The registry has no audit endpoint, or does not answer. That says nothing about the dependencies. */
  | { outcome: 'unanswered'; reason: string };

/**
 * What `npm audit --json` found. npm exits with 1 both for a vulnerability and for a registry that does not answer;
 * only a report has `auditReportVersion`.
 *
 * @throws Error if npm printed neither a report nor an error of its own
 */
export function readAudit(exitCode: number, output: string): Audit {
  const said = parse(output);
  if (said?.auditReportVersion !== undefined) return { outcome: exitCode === 0 ? 'clean' : 'vulnerable' };
  const reason = said?.message ?? said?.error?.summary;
  if (exitCode === 0 || !reason) throw new Error(`npm audit printed no report (exit code ${exitCode}): ${output}`);
  return { outcome: 'unanswered', reason };
}

interface AuditOutput {
  auditReportVersion?: number;
  message?: string;
  error?: { summary?: string };
}

function parse(output: string): AuditOutput | undefined {
  try {
    return JSON.parse(output) as AuditOutput;
  } catch {
    return undefined;
  }
}
