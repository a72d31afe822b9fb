import type { Row } from './run.ts';

export const now = new Date('2026-12-01T12:00:00Z');

/** A log line as Application Insights stores it, written some minutes before `now`. */
export function trace(minutesAgo: number, event: string, fields: object = {}): Row {
  return traceOf(new Date(now.getTime() - minutesAgo * 60_000), JSON.stringify({ event, ...fields }));
}

export function traceOf(TimeGenerated: Date, Message: string): Row {
  const ids = { OperationId: '', ParentId: '', OperationName: '', AppRoleName: '', AppRoleInstance: '' };
  return { TimeGenerated, Message, SeverityLevel: 1, Properties: {}, Measurements: {}, ...ids };
}

export function times(count: number, row: Row): Row[] {
  return Array.from({ length: count }, () => row);
}
