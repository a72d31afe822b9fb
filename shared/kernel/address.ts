import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { isConsumerDomain } from './consumer-domains.ts';

/** RFC 5321: 64 for the local part, 255 for the domain. Microsoft has the same limits. */
const ADDRESS_MAX_LENGTH = 320;
const LOCAL_MAX_LENGTH = 64;
const DOMAIN_MAX_LENGTH = 255;

export const addressFaults = ['address_missing', 'address_malformed', 'address_too_long', 'consumer_domain'] as const;
export type AddressFault = (typeof addressFaults)[number];

type ParsedAddress = { ok: true; address: string } | { ok: false; code: AddressFault; message: string };

/**
 * Zod's version of the pattern in the HTML standard. It allows every character that RFC 5322 allows unquoted and limits
 * the length of domain labels. Zod's default pattern is too narrow for Exchange: it refuses `o'neil&co`. Zod's RFC 5322
 * pattern is too wide: it accepts quoted local parts and bare IP addresses, which no Microsoft 365 mailbox has.
 */
const syntax = z.regexes.html5Email;

/**
 * The HTML pattern accepts misplaced dots in the local part, and domains without a dot. These two patterns find them.
 */
const faultyDots = /^\.|\.@|\.\./;
const publicDomain = /\.(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})$/;

/** Whitespace, and the invisible characters that come with an address copied from a message or a web page. */
const blank = /[\s\u200b-\u200f\u2060\ufeff]/;
const plain = /^[!-~]+$/;

/**
 * Normalizes an e-mail address: trimmed, lower case, the domain in ASCII. Everything past the edge uses this form.
 *
 * Accepts what people paste: `Jane <jane@contoso.com>`, `mailto:jane@contoso.com`, Exchange's `SMTP:jane@contoso.com`,
 * Outlook's `'jane@contoso.com'`, and a full stop, comma or semicolon at the end. Parsing the result again changes
 * nothing. Refuses personal Microsoft accounts, because no tenant can give access to them.
 */
export function parseAddress(input: string): ParsedAddress {
  // No accepted form is this long. The limit keeps the work below small for any input.
  if (input.length > 4 * ADDRESS_MAX_LENGTH) return refuse('address_too_long');
  const text = unwrap(plain.test(input) ? input : trimBlanks(input).normalize('NFC'));
  if (text === '') return refuse('address_missing');
  const at = text.lastIndexOf('@');
  const address = text.slice(0, at + 1).toLowerCase() + domain(text.slice(at + 1));
  if (address.length > ADDRESS_MAX_LENGTH || at > LOCAL_MAX_LENGTH || address.length - at - 1 > DOMAIN_MAX_LENGTH) {
    return refuse(text.includes('@') ? 'address_too_long' : 'address_malformed');
  }
  if (!syntax.test(address) || faultyDots.test(address) || !publicDomain.test(address)) {
    return refuse('address_malformed');
  }
  if (isConsumerDomain(address.slice(at + 1))) return refuse('consumer_domain');
  return { ok: true, address };
}

/** A loop: the expression `blanks$` tries every blank as the first one, which is quadratic. */
function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && blank.test(text.charAt(start))) start++;
  while (end > start && blank.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

function unwrap(wrapped: string): string {
  const text = trimPunctuation(wrapped);
  if (text.endsWith('>')) {
    const open = text.indexOf('<');
    if (open !== -1) return unwrap(text.slice(open + 1, -1).trim());
  }
  return text.replace(/^(?:mailto|smtp):([^?]*)(?:\?.*)?$/is, '$1');
}

/** Outlook puts copied addresses in `'`. Where an address ends a sentence or is one of a list, its end is copied with it. */
function trimPunctuation(text: string): string {
  let start = 0;
  let end = text.length;
  while (end > start && /[.,;\s]/.test(text.charAt(end - 1))) end--;
  if (end - start > 1 && text.charAt(start) === "'" && text.charAt(end - 1) === "'") {
    start++;
    end--;
  }
  return text.slice(start, end);
}

function domain(text: string): string {
  // Only non-ASCII domains are converted. The conversion would also repair domains that must be refused, such as `%2e`.
  return plain.test(text) ? text.toLowerCase() : /[!-,/:-@[-`{-~\s]/.test(text) ? text : domainToASCII(text);
}

const messages: Record<AddressFault, string> = {
  address_missing: 'The e-mail address is missing.',
  address_malformed: 'This is not a valid e-mail address. Use an address such as jane@contoso.com.',
  address_too_long: 'This address is too long. Use at most 64 characters before the @, and 320 in total.',
  consumer_domain:
    'This is a personal Microsoft account, such as outlook.com, hotmail.com, live.com or msn.com. Only mailboxes of an organization can be connected. Remove this address.',
};

function refuse(code: AddressFault): ParsedAddress {
  return { ok: false, code, message: messages[code] };
}
