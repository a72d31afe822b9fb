/** The result of one probe, as the API shows it. */
export interface ShownCheck {
  verdict: string;
  cause?: string;
  detail?: string;
  fix?: string;
}

/** A mailbox, as the API shows it. */
export interface ShownMailbox {
  address: string;
  kind: string;
  status: string;
  checks: Partial<Record<string, ShownCheck>>;
}

/** The first probe that has a cause, which is why the mailbox did not pass. */
export function explainedCheck({ checks }: Pick<ShownMailbox, 'checks'>): (ShownCheck & { cause: string }) | undefined {
  for (const check of Object.values(checks)) {
    if (check?.cause !== undefined) return { ...check, cause: check.cause };
  }
  return undefined;
}
