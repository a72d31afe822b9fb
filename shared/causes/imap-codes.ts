import type { CauseCode } from './causes.ts';

/**
 * The cause for each response code of IMAP, such as `[UNAVAILABLE]` in `NO [UNAVAILABLE] Server Unavailable. 15`.
 * https://www.rfc-editor.org/rfc/rfc5530
 *
 * Left out on purpose are codes that only a bug of ours can cause (`CLIENTBUG`, `PRIVACYREQUIRED`) and those that leave
 * the reason open (`CONTACTADMIN`, `EXPIRED`, `CORRUPTION`). The text decides about them.
 */
export const imapCodes: Readonly<Record<string, CauseCode>> = {
  AUTHENTICATIONFAILED: 'imap_access_missing',
  AUTHORIZATIONFAILED: 'imap_access_missing',
  NOPERM: 'imap_access_missing',
  // The server's own trouble, which passes: these never become a failed verdict.
  UNAVAILABLE: 'microsoft_unavailable',
  SERVERBUG: 'microsoft_unavailable',
  INUSE: 'microsoft_unavailable',
  LIMIT: 'throttled',
};
