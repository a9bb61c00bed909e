// SPDX-License-Identifier: Apache-2.0
import { readDuration } from '#config/duration.ts';
import type { ClientTlsConfig, ServerTlsConfig } from '#config/tls-config.ts';
import type { ClientTlsSettings } from '#net/tls/client-tls.ts';
import type { ServerTlsSettings } from '#net/tls/server-tls.ts';
import type { TlsIdentitySettings, TlsVersion } from '#net/tls/tls-identity.ts';

/** TLS of a client, or undefined when it is to connect in plain text. */
export function clientTlsSettings(config: ClientTlsConfig): ClientTlsSettings | undefined {
  if (config.insecure) return undefined;
  return {
    ...commonSettings(config),
    caFile: config.ca_file,
    includeSystemCas: config.include_system_ca_certs_pool,
    skipVerify: config.insecure_skip_verify,
    serverName: config.server_name_override,
  };
}

/** TLS of a listener. */
export function serverTlsSettings(config: ServerTlsConfig): ServerTlsSettings {
  return {
    ...commonSettings(config),
    caFile: config.ca_file,
    clientCaFile: config.client_ca_file,
  };
}

function commonSettings(
  config: ClientTlsConfig | ServerTlsConfig,
): TlsIdentitySettings & { readonly minVersion: TlsVersion; readonly reloadIntervalMs: number } {
  return {
    certFile: config.cert_file,
    keyFile: config.key_file,
    keyPassword: config.key_password,
    keyPasswordFile: config.key_password_file,
    pkcs12File: config.pkcs12_file,
    pkcs12Password: config.pkcs12_password,
    pkcs12PasswordFile: config.pkcs12_password_file,
    minVersion: String(config.min_version) === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
    reloadIntervalMs: readDuration(config.reload_interval),
  };
}
