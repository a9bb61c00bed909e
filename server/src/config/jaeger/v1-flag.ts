// SPDX-License-Identifier: Apache-2.0
import { asBoolean, asNot, asText, type Convert } from './v1-values.ts';

/** A key of ours and its value. */
export interface Meaning {
  readonly path: readonly string[];
  readonly value: unknown;
  /** See `ConfigOverride`. */
  readonly isAdded?: boolean;
}

/** A flag of Jaeger 1. */
export interface V1Flag {
  /** It may stand without a value, which is true then. */
  readonly isBoolean?: boolean;
  /** It is an environment variable only. */
  readonly isVariableOnly?: boolean;
  /** The one value that is not refused. */
  readonly usual?: string | undefined;
  /** Why it sets nothing although it has its effect. */
  readonly note?: string;
  /**
   * What its value means here; a text says why it means nothing.
   * @throws {RangeError} it cannot be had: what there is instead
   */
  readonly read: (value: string) => readonly Meaning[] | string;
}

/** It sets a key. */
export function sets(path: string, convert: Convert = asText): V1Flag {
  const isBoolean = convert === asBoolean || convert === asNot;
  return {
    isBoolean,
    read: (value) => [{ path: path.split('.'), value: convert(value) }],
  };
}

/** It means nothing here. */
export function ignored(why: string, isBoolean = false): V1Flag {
  return { isBoolean, read: () => why };
}

/** It says what other flags say already. */
function implied(note: string): V1Flag {
  const read = (value: string): Meaning[] => {
    asBoolean(value);
    return [];
  };
  return { isBoolean: true, note, read };
}

/** It asks for what Spoor does not have, unless it has its usual value. */
export function refused(instead: string, usual?: string, isBoolean = false): V1Flag {
  return {
    isBoolean,
    usual,
    read: (value) => {
      if (value === usual) return [];
      throw new RangeError(instead);
    },
  };
}

/** Flags by name without dashes. */
export type Flags = Readonly<Record<string, V1Flag>>;

/** Flags whose names begin alike. */
export function group(prefix: string, flags: Flags): Flags {
  return Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [`${prefix}.${name}`, flag]),
  );
}

const NOT_LISTED = 'Spoor takes the safe ciphers of its TLS library; leave it out';

/** TLS of a listener, `tls.*`. */
export function serverTls(path: string): Flags {
  return group('tls', {
    enabled: implied('TLS is on where there is a certificate'),
    cert: sets(`${path}.tls.cert_file`),
    key: sets(`${path}.tls.key_file`),
    'client-ca': sets(`${path}.tls.client_ca_file`),
    'min-version': sets(`${path}.tls.min_version`),
    'max-version': ignored('the newest version that both sides speak is taken'),
    'cipher-suites': refused(NOT_LISTED, ''),
    'reload-interval': sets(`${path}.tls.reload_interval`),
  });
}

/** TLS of a client, `tls.*`: as in Jaeger it is off unless it is switched on. */
export function clientTls(path: string): Flags {
  return group('tls', {
    enabled: sets(`${path}.tls.insecure`, asNot),
    ca: sets(`${path}.tls.ca_file`),
    cert: sets(`${path}.tls.cert_file`),
    key: sets(`${path}.tls.key_file`),
    'server-name': sets(`${path}.tls.server_name_override`),
    'skip-host-verify': sets(`${path}.tls.insecure_skip_verify`, asBoolean),
  });
}
