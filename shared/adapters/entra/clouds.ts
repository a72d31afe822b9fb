import type { Cloud } from '../../connections/connection.ts';

export interface CloudEndpoints {
  loginUrl: string;
  /** Without the API version. */
  graphUrl: string;
  /** What a token for Graph is asked for, without `/.default`. */
  graphResource: string;
  /** The same for Exchange Online's IMAP and SMTP. */
  exchangeResource: string;
  imap: { host: string; port: number } | undefined;
  smtp: { host: string; port: number } | undefined;
}

export interface SimulatedEndpoints {
  loginUrl: string;
  graphUrl: string;
  imap: { host: string; port: number } | undefined;
  smtp: { host: string; port: number } | undefined;
}

const IMAPS = 993;
const SUBMISSION = 587;

/**
 * Where each of Microsoft's clouds is reached.
 *
 * Login and Graph hosts: https://learn.microsoft.com/graph/deployments. IMAP and SMTP hosts of the national clouds rest
 * on what others have published and are not confirmed by Microsoft.
 */
const clouds: Record<Exclude<Cloud, 'simulator'>, CloudEndpoints> = {
  global: {
    loginUrl: 'https://login.microsoftonline.com',
    graphUrl: 'https://graph.microsoft.com',
    graphResource: 'https://graph.microsoft.com',
    exchangeResource: 'https://outlook.office365.com',
    imap: { host: 'outlook.office365.com', port: IMAPS },
    smtp: { host: 'smtp.office365.com', port: SUBMISSION },
  },
  usgov: {
    loginUrl: 'https://login.microsoftonline.us',
    graphUrl: 'https://graph.microsoft.us',
    graphResource: 'https://graph.microsoft.us',
    exchangeResource: 'https://outlook.office365.us',
    imap: { host: 'outlook.office365.us', port: IMAPS },
    smtp: { host: 'smtp.office365.us', port: SUBMISSION },
  },
  usgovdod: {
    loginUrl: 'https://login.microsoftonline.us',
    graphUrl: 'https://dod-graph.microsoft.us',
    graphResource: 'https://dod-graph.microsoft.us',
    exchangeResource: 'https://outlook-dod.office365.us',
    imap: { host: 'outlook-dod.office365.us', port: IMAPS },
    smtp: { host: 'outlook-dod.office365.us', port: SUBMISSION },
  },
  china: {
    loginUrl: 'https://login.chinacloudapi.cn',
    graphUrl: 'https://microsoftgraph.chinacloudapi.cn',
    graphResource: 'https://microsoftgraph.chinacloudapi.cn',
    exchangeResource: 'https://partner.outlook.cn',
    imap: { host: 'partner.outlook.cn', port: IMAPS },
    smtp: { host: 'partner.outlook.cn', port: SUBMISSION },
  },
};

/** The endpoints of a cloud; `undefined` for `simulator` where the configuration names none. */
export function createClouds(simulator: SimulatedEndpoints | undefined): (cloud: Cloud) => CloudEndpoints | undefined {
  const simulated: CloudEndpoints | undefined = simulator && {
    ...simulator,
    graphResource: clouds.global.graphResource,
    exchangeResource: clouds.global.exchangeResource,
  };
  return (cloud) => (cloud === 'simulator' ? simulated : clouds[cloud]);
}
