import type { Connection } from '../../connections/connection.ts';
import type { ParsedRow, ParsedUpload } from '../upload/parsed-row.ts';
import { type RowFault, rowFaults } from '../upload/row-findings.ts';
import { createNearMisses, type NearMisses } from './near-misses.ts';
import { isWebmailDomain, misspelledDomains } from './webmail-domains.ts';

/** Judges the domain of a row: returns the row itself, the same row with a warning, or a rejected one. */
export type DomainJudge = (row: ParsedRow) => ParsedRow;

type KnownDomains = Pick<Connection, 'verifiedDomains' | 'tenantDomain'>;

const webmailNames = createNearMisses(misspelledDomains);

/**
 * Judges rows by what is known of the tenant's domains, so that an address that cannot be a mailbox of the tenant takes
 * no slot.
 *
 * If the verified domains are known, any other domain is rejected. Their subdomains are not: a tenant may accept them
 * without listing them, and the check finds out. Only a verified domain is suggested: no other one would be accepted. If the
 * verified domains are not known, only domains of personal mailboxes are rejected, and a domain that looks misspelled gets
 * a warning.
 */
export function createDomainJudge({ verifiedDomains, tenantDomain }: KnownDomains): DomainJudge {
  const own = new Set(verifiedDomains ?? (tenantDomain === undefined ? [] : [tenantDomain.toLowerCase()]));
  const ownNames = createNearMisses(own);
  return (row) => {
    if (!row.ok) return row;
    const at = row.address.lastIndexOf('@');
    const domain = row.address.slice(at + 1);
    if (own.has(domain)) return row;
    if (isWebmailDomain(domain)) return reject(row, rowFaults.consumerDomain(domain));
    if (isSubdomain(own, domain)) return row;
    const meant = ownNames.find(domain);
    const suggestion = meant && `${row.address.slice(0, at + 1)}${meant}`;
    if (verifiedDomains) return reject(row, rowFaults.foreignDomain(domain, meant, suggestion));
    return warn(row, domain, meant, suggestion, webmailNames);
  };
}

/** Judges each row of an upload. */
export function judgeRows(upload: ParsedUpload, judge: DomainJudge): ParsedUpload {
  async function* judged(): AsyncGenerator<ParsedRow> {
    for await (const row of upload.rows) yield judge(row);
  }
  return { columns: upload.columns, rows: judged() };
}

type ValidRow = Extract<ParsedRow, { ok: true }>;

function reject({ line, address, displayName, dailyLimit, reference }: ValidRow, fault: RowFault): ParsedRow {
  return {
    line,
    ok: false,
    address,
    ...fault,
    ...(displayName !== undefined && { displayName }),
    ...(dailyLimit !== undefined && { dailyLimitAsSent: String(dailyLimit) }),
    ...(reference !== undefined && { reference }),
  };
}

function warn(
  row: ValidRow,
  domain: string,
  meant: string | undefined,
  suggestion: string | undefined,
  webmail: NearMisses,
): ParsedRow {
  if (meant !== undefined) return { ...row, warning: rowFaults.misspelledDomain(domain, meant, suggestion) };
  const webmailName = webmail.find(domain);
  return webmailName === undefined ? row : { ...row, warning: rowFaults.misspelledWebmail(domain, webmailName) };
}

function isSubdomain(domains: ReadonlySet<string>, domain: string): boolean {
  for (let dot = domain.indexOf('.'); dot !== -1; dot = domain.indexOf('.', dot + 1)) {
    if (domains.has(domain.slice(dot + 1))) return true;
  }
  return false;
}
