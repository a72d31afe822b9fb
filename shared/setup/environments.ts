import type { Cloud } from '../connections/connection.ts';

interface Environment {
  /** For `Connect-MgGraph -Environment`. */
  graph: 'Global' | 'USGov' | 'USGovDoD' | 'China';
  /** For `Connect-ExchangeOnline -ExchangeEnvironmentName`. */
  exchange: 'O365Default' | 'O365USGovGCCHigh' | 'O365USGovDoD' | 'O365China';
}

const GLOBAL: Environment = { graph: 'Global', exchange: 'O365Default' };

/**
 * How Microsoft's PowerShell modules call each cloud.
 *
 * https://learn.microsoft.com/powershell/microsoftgraph/authentication-commands
 * https://learn.microsoft.com/powershell/module/exchangepowershell/connect-exchangeonline
 */
export const environments: Readonly<Record<Cloud, Environment>> = {
  global: GLOBAL,
  usgov: { graph: 'USGov', exchange: 'O365USGovGCCHigh' },
  usgovdod: { graph: 'USGovDoD', exchange: 'O365USGovDoD' },
  china: { graph: 'China', exchange: 'O365China' },
  // A simulated tenant has no PowerShell. Its scripts can be read, but not run.
  simulator: GLOBAL,
};
