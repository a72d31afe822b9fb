import type { CauseCode } from '../causes/causes.ts';

/** What a running import can wait for. It goes on by itself. */
export const waitCauses = ['throttled', 'microsoft_unavailable', 'propagating'] as const satisfies CauseCode[];
type WaitCause = (typeof waitCauses)[number];

/** Why it does not go on: a cause of Microsoft's, or an import of the same tenant that a re-verification lets go first. */
export const waitReasons = [...waitCauses, 'imports_first'] as const;
type WaitReason = (typeof waitReasons)[number];

/** What a running import waits for, as its dispatcher last noted it. */
export interface ImportWait {
  cause: WaitReason;
  /** When something is asked next. Absent if that does not depend on the time. */
  until?: Date;
}

/** A wait as customers see it. */
export interface ExplainedWait extends ImportWait {
  message: string;
}

export function isWaitCause(cause: CauseCode | undefined): cause is WaitCause {
  return (waitCauses as readonly (CauseCode | undefined)[]).includes(cause);
}

export function isSameWait(one: ImportWait | undefined, other: ImportWait | undefined): boolean {
  return one?.cause === other?.cause && one?.until?.getTime() === other?.until?.getTime();
}

/** Leaves out a time that is over: the next look of the dispatcher is due. */
export function explainWait({ cause, until }: ImportWait, now: Date): ExplainedWait {
  // When a re-verification looks again says nothing about when it goes on.
  const isAhead = until !== undefined && until > now && cause !== 'imports_first';
  return { cause, message: (isAhead && sentences[cause].until) || sentences[cause].open, ...(isAhead && { until }) };
}

const sentences: Record<WaitReason, { open: string; until?: string }> = {
  throttled: {
    open: 'Microsoft limits how many requests this tenant may get. We check the mailboxes as fast as it allows.',
    until: 'Microsoft limits how many requests this tenant may get. We go on at the time in `until`.',
  },
  microsoft_unavailable: {
    open: 'Microsoft does not answer. We go on as soon as it answers again.',
    until: 'Microsoft does not answer. We ask again at the time in `until`.',
  },
  propagating: {
    open: 'Consent, a credential or a permission changed recently, and Microsoft may need up to two hours. We ask about one mailbox first.',
    until:
      'Consent, a credential or a permission changed recently, and Microsoft may need up to two hours. We ask again at the time in `until`.',
  },
  imports_first: {
    open: 'Imports of this tenant go first. These mailboxes are checked as soon as the imports have nothing more to ask.',
  },
};
