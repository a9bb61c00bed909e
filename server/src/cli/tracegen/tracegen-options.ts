// SPDX-License-Identifier: Apache-2.0
import { quote } from '@spoor/core/model/errors.ts';
import { UsageError } from '#cli/cli-error.ts';
import { readOptions } from '#cli/option-check.ts';
import { LISTEN_HOST, PORTS } from '#config/ports.ts';
import { CORPUS_PROFILES, type CorpusProfile } from './corpus.ts';

/** OTLP; or Jaeger's Thrift in datagrams. */
const LOAD_PROTOCOLS = ['http', 'grpc', 'jaeger-udp'] as const;
type LoadProtocol = (typeof LOAD_PROTOCOLS)[number];

const DEFAULT_ENDPOINTS: Readonly<Record<LoadProtocol, string>> = {
  http: `http://${LISTEN_HOST}:${PORTS.otlpHttp}`,
  grpc: `${LISTEN_HOST}:${PORTS.otlpGrpc}`,
  'jaeger-udp': `${LISTEN_HOST}:${PORTS.jaegerThriftCompact}`,
};

/** What the command line of `spoor tracegen` says. */
export interface TracegenOptions {
  readonly help: boolean;
  readonly profile: CorpusProfile;
  /** undefined: until the duration is over. */
  readonly spans: number | undefined;
  readonly durationMs: number | undefined;
  /** Spans a second; undefined: as fast as possible. */
  readonly rate: number | undefined;
  readonly seed: number;
  readonly windowMs: number | undefined;
  readonly requestSpans: number | undefined;
  readonly protocol: LoadProtocol;
  readonly endpoint: string;
  readonly workers: number;
  readonly gzip: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly tenantHeader: string;
  readonly timeoutMs: number;
  readonly retryForMs: number;
  /** Write a corpus here and send nothing. */
  readonly out: string | undefined;
  /** Send this corpus and generate nothing. */
  readonly in: string | undefined;
  readonly json: boolean;
}

/** Text of `spoor tracegen --help`. */
export const TRACEGEN_HELP = `Makes traces and sends them to a receiver of OTLP or an agent of Jaeger, or writes them to a file.
The same options and seed give the same traces; only the times follow the clock.

Usage:
  spoor tracegen [options]

What is made:
  --profile NAME         shop: a web shop of 16 services (the default)
                         hostile: small requests of several tenants with everything that is legal
                         and unpleasant: 2,000 keys, 10 kB and nested values, copies, late and
                         misdated spans, ids used twice, one very large trace
  --spans N              this many spans (default 10000)
  --duration TIME        for this long instead: 500ms, 30s, 5m, 1h
  --rate N               spans a second (default: as fast as the receiver takes them)
  --window TIME          without --rate and --duration: traces start within this time before now
                         (default 30m)
  --request-spans N      spans of a full request (default 512; hostile: 1 to 20)
  --seed N               another seed makes other traces (default 1)

Where it goes:
  --protocol NAME        http, grpc: OTLP (default http)
                         jaeger-udp: datagrams of compact Thrift, which nobody answers; needs a
                         --rate
  --endpoint ADDRESS     http: a URL (default ${DEFAULT_ENDPOINTS.http})
                         grpc: host:port (default ${DEFAULT_ENDPOINTS.grpc})
                         jaeger-udp: host:port (default ${DEFAULT_ENDPOINTS['jaeger-udp']})
  --workers N            requests under way at a time (default 8)
  --gzip                 compress the requests
  --header NAME=VALUE    send this with every request; may be repeated
  --tenant-header NAME   header that names the tenant, where the profile has tenants
                         (default x-tenant)
  --timeout TIME         how long an answer may take (default 30s)
  --retry-for TIME       how long a request that is refused for now is tried again (default 60s)
  --out FILE             write the requests to FILE instead: each a 32-bit big-endian length and an
                         ExportTraceServiceRequest; FILE.traces.tsv lists the traces
  --in FILE              send the requests of such a file

  --json                 print the result as one line of JSON
  -h, --help             this text

The exit code is 0 when every span was acknowledged, or sent where nobody answers, 1 when some were lost or rejected, 2 when the
command line is wrong.
`;

const OPTIONS = {
  profile: { type: 'string' },
  spans: { type: 'string' },
  duration: { type: 'string' },
  rate: { type: 'string' },
  window: { type: 'string' },
  'request-spans': { type: 'string' },
  seed: { type: 'string' },
  protocol: { type: 'string' },
  endpoint: { type: 'string' },
  workers: { type: 'string' },
  gzip: { type: 'boolean' },
  header: { type: 'string', multiple: true },
  'tenant-header': { type: 'string' },
  timeout: { type: 'string' },
  'retry-for': { type: 'string' },
  out: { type: 'string' },
  in: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const MAX_SPANS = 10_000_000_000;
const MAX_REQUEST_SPANS = 50_000;
const MAX_WORKERS = 1024;
const DEFAULT_SPANS = 10_000;

/**
 * Reads the words after `spoor tracegen`.
 * @throws {UsageError} an option is unknown, lacks its value, is out of its range or contradicts another
 */
export function parseTracegenOptions(argv: readonly string[]): TracegenOptions {
  const { values, positionals } = readOptions('spoor tracegen', argv, OPTIONS);
  if (positionals.length > 0) {
    throw new UsageError(`spoor tracegen takes no further word: ${positionals[0]}`);
  }
  const profile = oneOf('--profile', values.profile ?? 'shop', CORPUS_PROFILES);
  const protocol = oneOf('--protocol', values.protocol ?? 'http', LOAD_PROTOCOLS);
  const durationMs = duration('--duration', values.duration);
  const spans = whole('--spans', values.spans, 1, MAX_SPANS);
  const rate = whole('--rate', values.rate, 1, MAX_SPANS);
  const windowMs = duration('--window', values.window);
  if (spans !== undefined && durationMs !== undefined) {
    throw new UsageError('--spans and --duration exclude each other; give one of them');
  }
  if (values.in !== undefined && values.out !== undefined) {
    throw new UsageError('--in and --out exclude each other; give one of them');
  }
  if (values.out !== undefined && durationMs !== undefined && rate === undefined) {
    throw new UsageError('--out with --duration needs a --rate, or give --spans');
  }
  if (windowMs !== undefined && (durationMs !== undefined || rate !== undefined)) {
    throw new UsageError('--window goes with neither --duration nor --rate');
  }
  if (protocol === 'jaeger-udp') {
    if (values.gzip === true || values.header !== undefined) {
      throw new UsageError('--protocol jaeger-udp has neither --gzip nor --header');
    }
    if (rate === undefined && values.out === undefined) {
      throw new UsageError(
        '--protocol jaeger-udp needs a --rate: no answer says how much is taken',
      );
    }
  }
  return {
    help: values.help === true,
    profile,
    spans: spans ?? (durationMs === undefined ? DEFAULT_SPANS : undefined),
    durationMs,
    rate,
    seed: whole('--seed', values.seed, 0, Number.MAX_SAFE_INTEGER) ?? 1,
    windowMs,
    requestSpans: whole('--request-spans', values['request-spans'], 1, MAX_REQUEST_SPANS),
    protocol,
    endpoint: values.endpoint ?? DEFAULT_ENDPOINTS[protocol],
    workers: whole('--workers', values.workers, 1, MAX_WORKERS) ?? 8,
    gzip: values.gzip === true,
    headers: headers(values.header ?? []),
    tenantHeader: (values['tenant-header'] ?? 'x-tenant').toLowerCase(),
    timeoutMs: duration('--timeout', values.timeout) ?? 30_000,
    retryForMs: duration('--retry-for', values['retry-for']) ?? 60_000,
    out: values.out,
    in: values.in,
    json: values.json === true,
  };
}

function oneOf<T extends string>(option: string, text: string, names: readonly T[]): T {
  const found = names.find((name) => name === text);
  if (found === undefined) {
    throw new UsageError(`${option} ${quote(text)} is not one of ${names.join(', ')}`);
  }
  return found;
}

function whole(
  option: string,
  text: string | undefined,
  min: number,
  max: number,
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw new UsageError(`${option} ${quote(text)} is not a whole number from ${min} to ${max}`);
  }
  return value;
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A time such as `30s`, in ms, up to a day. */
function duration(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text);
  const ms = match === null ? Number.NaN : Number(match[1]) * UNIT_MS[match[2]!]!;
  if (!(ms >= 1 && ms <= 24 * 3_600_000)) {
    throw new UsageError(
      `${option} ${quote(text)} is not a time from 1ms to 24h such as 500ms, 30s, 5m or 1h`,
    );
  }
  return ms;
}

function headers(pairs: readonly string[]): Record<string, string> {
  const named: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, at).toLowerCase();
    if (at < 1 || !/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) {
      throw new UsageError(`--header ${quote(pair)} is not NAME=VALUE`);
    }
    named[name] = pair.slice(at + 1);
  }
  return named;
}
