/** What can be done with mailboxes that a connection has. */
export const mailboxActions = ['check', 'reconnect', 'pause', 'resume', 'disconnect', 'remove'] as const;
export type MailboxAction = (typeof mailboxActions)[number];

/** Whether it asks Microsoft. The others only change what we store. */
export function isCheck(action: MailboxAction): boolean {
  return action === 'check' || action === 'reconnect';
}
