import type { Cause } from './cause.ts';
import { connectionCauses } from './connection-causes.ts';
import { mailboxCauses } from './mailbox-causes.ts';

/** Every reason that the product knows for a check not to pass. The codes are part of the API and never change. */
export type CauseCode = keyof typeof connectionCauses | keyof typeof mailboxCauses;

/** The catalogue: what the API, the reports and `docs/causes.md` say about each cause. */
export const causes: Readonly<Record<CauseCode, Cause>> = { ...connectionCauses, ...mailboxCauses };

export const causeCodes = Object.keys(causes) as CauseCode[];
