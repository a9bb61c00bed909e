// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { durationSchema } from './duration.ts';
import { SECRET } from './secret.ts';

function path(what: string): z.ZodDefault<z.ZodString> {
  return z.string().default('').describe(`Path of ${what}`);
}

function secret(what: string): z.ZodDefault<z.ZodString> {
  return z.string().default('').meta(SECRET).describe(what);
}

/** Keys of both sides, with the names of the OpenTelemetry collector where it has them. */
const COMMON_KEYS = {
  cert_file: path('the certificate in PEM, with those of the CAs between after it.'),
  key_file: path('the key of the certificate in PEM.'),
  key_password: secret('Password of an encrypted key_file.'),
  key_password_file: path('a file that holds key_password.'),
  pkcs12_file: path('a PKCS#12 file with certificate and key, instead of cert_file and key_file.'),
  pkcs12_password: secret('Password of pkcs12_file.'),
  pkcs12_password_file: path('a file that holds pkcs12_password.'),
  min_version: z
    // A number where YAML was given no quotes.
    .union([z.enum(['1.2', '1.3']), z.literal([1.2, 1.3])], { error: 'must be 1.2 or 1.3' })
    .default('1.2')
    .describe('Oldest version of TLS that is spoken: 1.2 or 1.3.'),
  reload_interval: durationSchema(
    '10s',
    'pause after which the files are looked at again; 0: never.',
  ),
};

type Identity = z.output<z.ZodObject<typeof COMMON_KEYS>>;

/** Checks that what belongs together is there, and only once. */
function checkIdentity(tls: Identity, context: z.core.$RefinementCtx): void {
  const issue = (key: keyof Identity, message: string): void => {
    context.addIssue({ code: 'custom', path: [key], message });
  };
  if (tls.pkcs12_file !== '') {
    for (const key of ['cert_file', 'key_file'] as const) {
      if (tls[key] !== '') issue(key, 'must be left out where pkcs12_file is set');
    }
  } else if (tls.cert_file === '' && tls.key_file !== '') {
    issue('cert_file', 'must be set where key_file is');
  } else if (tls.cert_file !== '' && tls.key_file === '') {
    issue('key_file', 'must be set where cert_file is');
  }
  for (const key of ['key_password', 'pkcs12_password'] as const) {
    if (tls[key] !== '' && tls[`${key}_file`] !== '') {
      issue(key, `must be left out where ${key}_file is set`);
    }
  }
}

/** `tls` of a listener; without the section it speaks plain text. */
export const serverTlsSchema = z
  .strictObject({
    ...COMMON_KEYS,
    ca_file: path('PEM certificates of the CAs between, where cert_file is without them.'),
    client_ca_file: path(
      'the CAs of clients in PEM: only clients with a certificate of one of them are let in. Not set: all clients.',
    ),
  })
  .superRefine((tls, context) => {
    checkIdentity(tls, context);
    if (tls.pkcs12_file !== '' || tls.cert_file !== '' || tls.key_file !== '') return;
    context.addIssue({
      code: 'custom',
      path: ['cert_file'],
      message: 'must be set, with key_file, or pkcs12_file instead of both',
    });
  })
  .optional()
  .describe('TLS; without this section the port speaks plain text.');

/** `tls` of what connects to a server. */
export const clientTlsSchema = z
  .strictObject({
    insecure: z.boolean().default(false).describe('Whether to connect in plain text.'),
    insecure_skip_verify: z
      .boolean()
      .default(false)
      .describe("Whether any server's certificate will do: encrypted, but with whom is not known."),
    ca_file: path("the CAs of servers' certificates in PEM; not set: those that Node comes with."),
    include_system_ca_certs_pool: z
      .boolean()
      .default(false)
      .describe("Whether the system's CAs count beside ca_file."),
    server_name_override: z
      .string()
      .default('')
      .describe("Name that the server's certificate must have; not set: the host of the endpoint."),
    ...COMMON_KEYS,
  })
  .superRefine(checkIdentity)
  .prefault({})
  .describe('TLS to the server.');

/** A `tls` section of a listener that has one. */
export type ServerTlsConfig = NonNullable<z.output<typeof serverTlsSchema>>;

/** A `tls` section of a client. */
export type ClientTlsConfig = z.output<typeof clientTlsSchema>;
