import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { isConsumerDomain } from './consumer-domains.ts';

/** RFC 5321: 64 for the local part, 255 for the domain. Microsoft allows no more either. */
const ADDRESS_MAX_LENGTH = 320;
const LOCAL_MAX_LENGTH = 64;
const DOMAIN_MAX_LENGTH = 255;

export type AddressFault = 'address_missing' | 'address_malformed' | 'address_too_long' | 'address_consumer';

export type ParsedAddress = { ok: true; address: string } | { ok: false; code: AddressFault; message: string };

/**
 * Zod's form of the HTML standard's pattern: every character that RFC 5322 allows unquoted, labels of a domain at their
 * proper length. Zod's default is too narrow for Exchange (it refuses `o'neil&co`), its RFC 5322 one takes what no
 * mailbox in Microsoft 365 can have (quoted local parts, bare IP addresses).
 */
const syntax = z.regexes.html5Email;

/** What the HTML pattern lets pass: dots at the edge of the local part or in a row, and domains without a dot. */
const faultyDots = /^\.|\.@|\.\./;
const publicDomain = /\.(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})$/;

/** Blanks, and what comes along unseen when an address is copied from a mail or a web page. */
const edges = /^[\s\u200b-\u200f\u2060\ufeff]+|[\s\u200b-\u200f\u2060\ufeff]+$/g;
const plain = /^[!-~]+$/;

/**
 * The one form of an e-mail address, made once, at the door: trimmed, lower case, its domain in ASCII.
 *
 * Takes what people paste: `Jane <jane@contoso.com>`, `mailto:jane@contoso.com`, Exchange's `SMTP:jane@contoso.com`.
 * Idempotent. Personal Microsoft accounts are refused, because no tenant can give access to them.
 */
export function parseAddress(input: string): ParsedAddress {
  // No form of an address comes near this; it keeps what follows from working on a whole novel.
  if (input.length > 4 * ADDRESS_MAX_LENGTH) return refuse('address_too_long');
  const text = unwrap(plain.test(input) ? input : input.replace(edges, '').normalize('NFC'));
  if (text === '') return refuse('address_missing');
  const at = text.lastIndexOf('@');
  const address = text.slice(0, at + 1).toLowerCase() + domain(text.slice(at + 1));
  if (address.length > ADDRESS_MAX_LENGTH || at > LOCAL_MAX_LENGTH || address.length - at - 1 > DOMAIN_MAX_LENGTH) {
    return refuse(text.includes('@') ? 'address_too_long' : 'address_malformed');
  }
  if (!syntax.test(address) || faultyDots.test(address) || !publicDomain.test(address)) {
    return refuse('address_malformed');
  }
  if (isConsumerDomain(address.slice(at + 1))) return refuse('address_consumer');
  return { ok: true, address };
}

function unwrap(text: string): string {
  if (text.endsWith('>')) {
    const open = text.indexOf('<');
    if (open !== -1) return unwrap(text.slice(open + 1, -1).trim());
  }
  return text.replace(/^(?:mailto|smtp):/i, '');
}

function domain(text: string): string {
  // Only what is not ASCII needs the conversion; it would also mend things that should be refused, such as `%2e`.
  return plain.test(text) ? text.toLowerCase() : /[!-,/:-@[-`{-~\s]/.test(text) ? text : domainToASCII(text);
}

const messages: Record<AddressFault, string> = {
  address_missing: 'There is no e-mail address in this row. Fill it in.',
  address_malformed: 'This is not an e-mail address. Write one such as jane@contoso.com.',
  address_too_long: 'This address is too long: at most 64 characters before the @ and 320 in all.',
  address_consumer:
    'This is a personal Microsoft account (outlook.com, hotmail.com, live.com, msn.com). Only mailboxes of an organisation can be connected; take this row out.',
};

function refuse(code: AddressFault): ParsedAddress {
  return { ok: false, code, message: messages[code] };
}
