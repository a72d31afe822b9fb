const enhancedStatus = /^[245]\.\d{1,3}\.\d{1,3}$/;
const troubles = ['down', 'noAnswer', 'garbage', 'slow', 'flaky', 'dropped'] as const;

/** Faults of a mailbox that strike one of the older protocols alone, beside the enhanced status codes, which are SMTP's. */
const protocolFaults = new Set([
  ...[...troubles, 'authenticateFailed', 'notConnected', 'unavailable'].map((name) => `IMAP.${name}`),
  ...troubles.map((name) => `SMTP.${name}`),
]);

/** Whether a fault's code is one of IMAP's or SMTP's, so that it does not strike Graph. */
export function isProtocolCode(code: string): boolean {
  return enhancedStatus.test(code) || /^(IMAP|SMTP)\./.test(code);
}

/** Whether a fault's code means something: Graph takes any, the two protocols have a fixed set. */
export function isUsableCode(code: string): boolean {
  return !isProtocolCode(code) || enhancedStatus.test(code) || protocolFaults.has(code);
}

export const usableCodes = `${[...protocolFaults].join(', ')} or an enhanced status code such as 5.1.8`;
