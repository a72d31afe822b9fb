import { z } from 'zod';
import { Secret } from '../kernel/secret.ts';

/** `alerts@contoso.com` or `Muster <alerts@contoso.com>`. */
export const senderSetting = z
  .string()
  .refine(isSender, 'must be an e-mail address, with or without a name, such as Muster <alerts@contoso.com>');

function isSender(text: string): boolean {
  const open = text.indexOf('<');
  const address = open === -1 ? text : text.slice(open + 1, -1);
  const isClosed = open === -1 || text.endsWith('>');
  // A line break would add headers to every e-mail.
  return isClosed && !/[\r\n]/.test(text) && z.regexes.html5Email.test(address);
}

/** The faults never show the value, because it contains a password. */
export const mailServerSetting = z
  .string()
  .refine(
    (value) => !value.startsWith('@Microsoft.KeyVault('),
    'the Key Vault reference is not resolved. Store the URL in the vault, then restart the app.',
  )
  .refine(
    (value) => value.startsWith('@Microsoft.KeyVault(') || isMailServerUrl(value),
    'must be the URL of a mail server, such as smtps://user:password@smtp.contoso.com:465. Special characters of the password must be percent-encoded.',
  )
  .transform((value) => new Secret(value));

function isMailServerUrl(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && ['smtp:', 'smtps:'].includes(url.protocol) && url.hostname !== '' && !isBadlyEncoded(url);
}

/** nodemailer decodes both when it sends, which is too late to find out. */
function isBadlyEncoded({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username);
    decodeURIComponent(password);
    return false;
  } catch {
    return true;
  }
}

/** Both settings, or neither: one alone sends nothing. */
export function findEmailFaults(isSet: (name: 'SMTP_URL' | 'EMAIL_FROM') => boolean): string[] {
  if (isSet('SMTP_URL') && !isSet('EMAIL_FROM')) {
    return [
      'EMAIL_FROM: required together with SMTP_URL: the sender of the e-mails, such as Muster <alerts@contoso.com>',
    ];
  }
  if (isSet('EMAIL_FROM') && !isSet('SMTP_URL')) {
    return ['SMTP_URL: required together with EMAIL_FROM: the mail server that sends the e-mails'];
  }
  return [];
}
