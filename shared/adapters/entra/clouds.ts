import { type Cloud, clouds } from '../../connections/connection.ts';

interface MailServer {
  host: string;
  port: number;
}

/** How the OpenID configuration of a tenant names its cloud. */
export interface CloudInstance {
  /** Any of these in `cloud_instance_name`. */
  names: readonly string[];
  /** If two clouds share a name: any of these in `tenant_region_sub_scope`. */
  subScopes?: readonly (string | undefined)[];
}

export interface CloudEndpoints {
  /** Absent from the simulator, which is in no cloud of Microsoft's. */
  instance?: CloudInstance;
  loginUrl: string;
  /** Of the issuer of ID tokens, if it is not that of `loginUrl`. */
  issuerOrigin?: string;
  /** Without the API version. */
  graphUrl: string;
  /** The resource of a token for Graph, without `/.default`. */
  graphResource: string;
  /** The resource of a token for Exchange Online's IMAP and SMTP, without `/.default`. */
  exchangeResource: string;
  /**
   * The resource of a token by which an app trusts a managed identity.
   * https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
   */
  federationResource: string;
  imap: MailServer | undefined;
  smtp: MailServer | undefined;
  /**
   * Whether Graph has `permanentDelete`, which the national clouds lack.
   * https://learn.microsoft.com/graph/api/message-permanentdelete
   */
  hasPermanentDelete: boolean;
  /** Whether a message has `internetMessageHeaders`. The metadata of China's Graph does not know it. */
  hasMessageHeaders: boolean;
}

/** The clouds of Microsoft's own. */
export const realClouds = clouds.filter((cloud) => cloud !== 'simulator');

type SimulatedEndpoints = Pick<CloudEndpoints, 'loginUrl' | 'graphUrl' | 'imap' | 'smtp'>;

const IMAPS = 993;
const SUBMISSION = 587;

/**
 * The endpoints of Microsoft's clouds.
 *
 * For the hosts of login and Graph see https://learn.microsoft.com/graph/deployments. The IMAP and SMTP hosts of the
 * national clouds come from third parties. Microsoft does not confirm them.
 */
const microsoftClouds: Record<Exclude<Cloud, 'simulator'>, CloudEndpoints> = {
  global: {
    instance: { names: ['microsoftonline.com'] },
    loginUrl: 'https://login.microsoftonline.com',
    graphUrl: 'https://graph.microsoft.com',
    graphResource: 'https://graph.microsoft.com',
    exchangeResource: 'https://outlook.office365.com',
    federationResource: 'api://AzureADTokenExchange',
    imap: { host: 'outlook.office365.com', port: IMAPS },
    smtp: { host: 'smtp.office365.com', port: SUBMISSION },
    hasPermanentDelete: true,
    hasMessageHeaders: true,
  },
  usgov: {
    instance: { names: ['microsoftonline.us'], subScopes: ['DODCON', undefined] },
    loginUrl: 'https://login.microsoftonline.us',
    graphUrl: 'https://graph.microsoft.us',
    graphResource: 'https://graph.microsoft.us',
    exchangeResource: 'https://outlook.office365.us',
    federationResource: 'api://AzureADTokenExchangeUSGov',
    imap: { host: 'outlook.office365.us', port: IMAPS },
    smtp: { host: 'smtp.office365.us', port: SUBMISSION },
    hasPermanentDelete: false,
    hasMessageHeaders: true,
  },
  usgovdod: {
    instance: { names: ['microsoftonline.us'], subScopes: ['DOD'] },
    loginUrl: 'https://login.microsoftonline.us',
    graphUrl: 'https://dod-graph.microsoft.us',
    graphResource: 'https://dod-graph.microsoft.us',
    exchangeResource: 'https://outlook-dod.office365.us',
    federationResource: 'api://AzureADTokenExchangeUSGov',
    imap: { host: 'outlook-dod.office365.us', port: IMAPS },
    smtp: { host: 'outlook-dod.office365.us', port: SUBMISSION },
    hasPermanentDelete: false,
    hasMessageHeaders: true,
  },
  china: {
    instance: { names: ['partner.microsoftonline.cn', 'chinacloudapi.cn'] },
    loginUrl: 'https://login.chinacloudapi.cn',
    issuerOrigin: 'https://login.partner.microsoftonline.cn',
    graphUrl: 'https://microsoftgraph.chinacloudapi.cn',
    graphResource: 'https://microsoftgraph.chinacloudapi.cn',
    exchangeResource: 'https://partner.outlook.cn',
    federationResource: 'api://AzureADTokenExchangeChina',
    imap: { host: 'partner.outlook.cn', port: IMAPS },
    smtp: { host: 'partner.outlook.cn', port: SUBMISSION },
    hasPermanentDelete: false,
    hasMessageHeaders: false,
  },
};

/**
 * Returns a lookup of endpoints. It answers `undefined` for `simulator` unless the configuration names its endpoints.
 */
export function createClouds(simulator: SimulatedEndpoints | undefined): (cloud: Cloud) => CloudEndpoints | undefined {
  const { instance: _none, ...likeGlobal } = microsoftClouds.global;
  const endpoints: Record<Cloud, CloudEndpoints | undefined> = {
    ...microsoftClouds,
    simulator: simulator && { ...likeGlobal, ...simulator },
  };
  return (cloud) => endpoints[cloud];
}
