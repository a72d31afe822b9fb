import { z } from 'zod';
import { clouds, connectionStatuses, sendProbes } from '../../../shared/connections/connection.ts';
import { credentialKinds, credentialStates } from '../../../shared/connections/credentials/credential.ts';
import { testSteps } from '../../../shared/connections/readiness/connection-test.ts';
import { audiences } from '../../../shared/connections/tokens.ts';
import { instant, pageOf } from '../../../shared/edge/answers/response-fields.ts';
import {
  causeSchema,
  connectionFindingSchema,
  explanation,
  microsoftIds,
  probeSchema,
  verdictSchema,
} from '../finding-schemas.ts';
import { certificateFields, nextCertificateSchema } from './certificate-schemas.ts';
import { apps } from './new-credential.ts';
import { scopeCheckSchema } from './scope-schemas.ts';

const stepSchema = z
  .strictObject({
    step: z.enum(testSteps),
    service: z
      .enum(audiences)
      .optional()
      .meta({ description: 'The service whose token the step is about. Absent if the step is not about a token.' }),
    verdict: verdictSchema,
    cause: causeSchema.optional(),
    detail: explanation.detail.optional(),
    fix: explanation.fix.optional(),
    link: explanation.link.optional(),
    ...microsoftIds,
  })
  .meta({ id: 'TestStep' });

const testFields = {
  testedAt: instant,
  verdict: verdictSchema,
  steps: z.array(stepSchema).meta({
    description: 'Every step, in order. A step that depends on one that did not pass is `skipped`.',
  }),
  roles: z.array(z.string()).meta({ description: 'The permissions that the tokens show.' }),
};

const lastTestSchema = z.strictObject(testFields).meta({ id: 'LastTest', description: 'The result of the last test.' });

export const testResultSchema = z
  .strictObject({
    ...testFields,
    organization: z.strictObject({ displayName: z.string(), verifiedDomains: z.array(z.string()) }).optional(),
  })
  .meta({ id: 'TestResult' });

/** What Microsoft Entra shows that is newer than the credential in use. */
const newerCredentials = {
  newerSecret: z
    .strictObject({
      secretId: z.string(),
      name: z.string().nullable(),
      hint: z.string().nullable().meta({ description: 'How its Value begins.' }),
      expiresAt: instant,
    })
    .nullable()
    .meta({
      description: 'A newer secret of the app. If it was made for this connection, replace the secret with it.',
    }),
  newerCertificate: z
    .strictObject({
      certificateId: z.string(),
      name: z.string().nullable(),
      thumbprint: z.string().nullable(),
      expiresAt: instant,
      isNext: z.boolean().meta({ description: 'It is `nextCertificate`, and can be put into use.' }),
    })
    .nullable()
    .meta({
      description:
        'A newer certificate of the app. If it was made for this connection, put it into use, or upload it with its private key.',
    }),
};

const entraSchema = z
  .strictObject({
    checkedAt: instant,
    isReadable: z.boolean().meta({
      description:
        '`false`: the app may not read its own registration. That needs Application.Read.All, or Application.ReadWrite.OwnedBy and ownership.',
    }),
    secretId: z.string().nullable().meta({ description: 'The Secret ID of the client secret in use.' }),
    secretName: z.string().nullable(),
    expiresAt: instant.nullable().meta({
      description: 'When the secret in use expires. `null` if the registration does not tell which secret it is.',
    }),
    enteredExpiresAt: instant
      .nullable()
      .meta({ description: 'What was entered, if Entra shows another date. The one of Entra counts.' }),
    ...newerCredentials,
  })
  .meta({ id: 'EntraView', description: 'What Microsoft Entra shows about the credential in use.' });

/** What people have said to the notices about an expiring credential. */
const silence = {
  acknowledgedAt: instant.nullable().meta({ description: 'From then on, only the expiry itself is reported.' }),
  snoozedUntil: instant.nullable().meta({ description: 'Until then, only the expiry itself is reported.' }),
};

const lifetime = {
  daysLeft: z.int(),
  state: z.enum(credentialStates).meta({ description: '`expired` also if Microsoft says so before `expiresAt`.' }),
  previous: z
    .strictObject({ credential: z.enum(credentialKinds), expiresAt: instant, restorableUntil: instant })
    .optional()
    .meta({ description: 'The credential that was replaced last, as long as it can be brought back.' }),
  ...silence,
};

export const connectionSchema = z
  .strictObject({
    id: z.string().meta({ example: 'conn_01k2m8qj4vabcdefghjkmnp' }),
    name: z.string(),
    cloud: z.enum(clouds),
    tenantId: z.string(),
    tenantDomain: z.string().optional(),
    verifiedDomains: z.array(z.string()).nullable().meta({
      description:
        'The verified domains of the tenant, as of the last test that passed. Imports reject other domains. `null` if the test could not read them: that needs User.Read.All or Organization.Read.All.',
    }),
    app: z.enum(apps).meta({ description: '`vendor`: the app of this service.' }),
    clientId: z.string(),
    confirmedByAdmin: z
      .strictObject({ at: instant, objectId: z.string().meta({ description: 'Of the admin, in the tenant.' }) })
      .nullable()
      .meta({
        description:
          'With the app of this service: the admin who confirmed that you may use the tenant. Until then, nothing is asked there.',
      }),
    clientSecret: z
      .strictObject({ expiresAt: instant, ...lifetime })
      .nullable()
      .meta({ description: '`null` if the connection has another credential.' }),
    certificate: z
      .strictObject({ ...certificateFields, ...lifetime })
      .nullable()
      .meta({ description: '`null` if the connection has another credential.' }),
    nextCertificate: nextCertificateSchema.nullable(),
    probes: z.array(probeSchema),
    sendProbe: z.enum(sendProbes),
    defaultMailbox: z.string().nullable(),
    status: z.enum(connectionStatuses),
    finding: connectionFindingSchema.nullable(),
    lastTest: lastTestSchema.nullable(),
    entra: entraSchema.nullable().meta({ description: '`null` before Entra was asked.' }),
    lastScopeCheck: scopeCheckSchema.nullable().meta({ description: '`null` before the first scope check.' }),
    consentedAt: instant.nullable(),
    createdAt: instant,
  })
  .meta({ id: 'Connection', description: 'A permission to reach a tenant. Secrets and private keys are never shown.' });

export const consentLinkSchema = z
  .strictObject({
    url: z.string().optional().meta({ description: 'Absent when the answer is replayed: the link is shown once.' }),
    expiresAt: instant,
  })
  .meta({ id: 'ConsentLink' });

const expiringSecretSchema = z
  .strictObject({
    customerId: z.string(),
    connectionId: z.string(),
    name: z.string(),
    credential: z.enum(credentialKinds).meta({ description: 'What expires.' }),
    expiresAt: instant,
    daysLeft: z.int(),
    state: z.enum(credentialStates),
    ...silence,
    ...newerCredentials,
  })
  .meta({ id: 'ExpiringSecret' });

export const expiringSecretsSchema = pageOf(expiringSecretSchema);
