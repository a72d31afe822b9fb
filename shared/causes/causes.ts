import type { Cause } from './cause.ts';
import { connectionCauses } from './connection-causes.ts';
import { mailboxCauses } from './mailbox-causes.ts';

/** Every known reason for a check not to pass. The codes are part of the API and never change. */
export type CauseCode = keyof typeof connectionCauses | keyof typeof mailboxCauses;

/** The catalogue: the text for each cause in the API, in reports and in `docs/causes.md`. */
export const causes: Readonly<Record<CauseCode, Cause>> = { ...connectionCauses, ...mailboxCauses };

export const causeCodes = Object.keys(causes) as CauseCode[];
