const enhancedStatus = /^[245]\.\d{1,3}\.\d{1,3}$/;
const connectionFaults = ['down', 'noAnswer', 'garbage', 'slow', 'flaky', 'dropped'] as const;

/** Mailbox faults that affect only IMAP or only SMTP. SMTP also has the enhanced status codes. */
const protocolFaults = new Set([
  ...[...connectionFaults, 'authenticateFailed', 'notConnected', 'unavailable', 'limit', 'serverBug', 'inUse'].map(
    (name) => `IMAP.${name}`,
  ),
  ...connectionFaults.map((name) => `SMTP.${name}`),
]);

/** Whether a fault code belongs to IMAP or SMTP. Such a fault does not affect Graph. */
export function isProtocolCode(code: string): boolean {
  return enhancedStatus.test(code) || /^(IMAP|SMTP)\./.test(code);
}

/** Whether a scenario may use the fault code. Graph accepts any code, IMAP and SMTP only the known ones. */
export function isUsableCode(code: string): boolean {
  return !isProtocolCode(code) || enhancedStatus.test(code) || protocolFaults.has(code);
}

export const usableCodes = `${[...protocolFaults].join(', ')} or an enhanced status code such as 5.1.8`;
