// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { Span } from '@spoor/core/model/span.ts';
import {
  attributes,
  resource,
  span,
  spanId,
  traceId,
} from '@spoor/core/query/testing/example-span.ts';
import { encodeSpans } from '@spoor/core/query/testing/span-body.ts';
import { TRACE_ORDERS } from '@spoor/core/query/trace-query.ts';
import { GrpcTransport } from '../../server/src/cli/tracegen/grpc-transport.ts';
import { HttpTransport } from '../../server/src/cli/tracegen/http-transport.ts';
import type { LoadTransport } from '../../server/src/cli/tracegen/load-transport.ts';
import { Random } from '../../server/src/cli/tracegen/random.ts';
import { SpoorProcess } from './spoor-process.ts';

const HEADER = 'x-team';
const TENANTS = ['blue', 'green', 'default'];
const SERVICES = ['cart', 'shop', 'pay/eu'];
const NAMES = ['GET /', 'charge', 'send'];
/** Few, so that the tenants have the same ones. */
const TRACES = 40;
const WINDOW_MS = 60_000;

/** A server, and what carries requests to it. */
interface Twin {
  readonly server: SpoorProcess;
  readonly transports: readonly LoadTransport[];
}

/**
 * One server with several tenants, and beside it a server of its own for each of them: whatever is asked in the name of a
 * tenant, the two must give the same answer, byte for byte. Ids, names and times are the same for all tenants.
 */
export class TenantTwins implements AsyncDisposable {
  readonly #random: Random;
  /** Beginning of the window that all spans are in, Unix ms. */
  readonly #fromUnixMs = Date.now() - WINDOW_MS;
  #shared: Twin;
  /** What asks for the page after the last answer that had one; of whichever tenant it was. */
  #nextPage: string | undefined;
  readonly #alone: ReadonlyMap<string, Twin>;

  private constructor(seed: number, shared: Twin, alone: ReadonlyMap<string, Twin>) {
    this.#random = new Random(seed);
    this.#shared = shared;
    this.#alone = alone;
  }

  /** Starts the servers; the shared one keeps its data in the directory. */
  static async start(directory: string, seed: number): Promise<TenantTwins> {
    const shared = await startShared(directory);
    const alone = new Map<string, Twin>();
    for (const tenant of TENANTS) {
      alone.set(tenant, twin(await SpoorProcess.start({ sets: ['storage.type=memory'] })));
    }
    return new TenantTwins(seed, shared, alone);
  }

  /** Sends random spans of random tenants, over both protocols. */
  async write(requests: number): Promise<void> {
    for (let i = 0; i < requests; i++) {
      const tenant = this.#random.pick(TENANTS);
      const body = encodeSpans(
        Array.from({ length: this.#random.between(1, 8) }, () => this.#span()),
      );
      const transport = this.#random.int(2);
      for (const [{ transports }, name] of [
        [this.#shared, tenant],
        [this.#alone.get(tenant)!, ''],
      ] as const) {
        const outcome = await transports[transport]!.send(body, name);
        assert.deepEqual(outcome, { kind: 'acked', rejectedSpans: 0, message: '' });
      }
    }
  }

  /** Ends the shared server and starts it anew on its data. */
  async restart(): Promise<void> {
    const { directory } = this.#shared.server;
    await end(this.#shared);
    this.#shared = await startShared(directory);
  }

  /** Asks one random question in the name of a random tenant. @returns what differs, or undefined */
  async ask(): Promise<string | undefined> {
    const tenant = this.#random.pick(TENANTS);
    const followed = this.#random.chance(0.3) ? this.#nextPage : undefined;
    const path = followed ?? this.#question();
    const headers = { [HEADER]: tenant };
    const [got, want] = await Promise.all([
      read(this.#shared.server.queryUrl + path, headers),
      read(this.#alone.get(tenant)!.server.queryUrl + path, {}),
    ]);
    const token = /"nextPage": ?"([^"]+)"/.exec(want)?.[1];
    if (token !== undefined && followed === undefined) {
      const name = path.startsWith('/api/v3/') ? 'query.page' : 'page';
      this.#nextPage = `${path}&${name}=${encodeURIComponent(token)}`;
    }
    return got === want ? undefined : `${tenant}: ${path}\n${got}\ninstead of\n${want}`;
  }

  /** Asks without a tenant, or in the name of one that there is not. @returns what was answered */
  async askAsNobody(): Promise<number> {
    const name = this.#random.pick([undefined, '', 'red', 'BLUE', 'blue, green', '../blue']);
    const headers = name === undefined ? {} : { [HEADER]: name };
    return (await fetch(this.#shared.server.queryUrl + this.#question(), { headers })).status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of [this.#shared, ...this.#alone.values()]) await end(one);
  }

  #span(): Span {
    const random = this.#random;
    const startUnixMs = this.#fromUnixMs + random.int(WINDOW_MS);
    const startTimeUnixNano = BigInt(startUnixMs) * 1_000_000n;
    return span({
      traceId: traceId(1 + random.int(TRACES)),
      spanId: spanId(1 + random.int(30)),
      parentSpanId: random.chance(0.3) ? '' : spanId(1 + random.int(30)),
      name: random.pick(NAMES),
      kind: random.int(6),
      startTimeUnixNano,
      endTimeUnixNano: startTimeUnixNano + BigInt(random.int(5_000_000_000)),
      status: random.chance(0.2) ? { code: 2, message: 'no' } : undefined,
      attributes: attributes({ 'user.id': BigInt(random.int(5)), note: random.hex(8) }),
      resource: resource(random.pick(SERVICES), { host: random.hex(4) }),
    });
  }

  #question(): string {
    const random = this.#random;
    const service = encodeURIComponent(random.pick(SERVICES));
    const id = traceId(1 + random.int(TRACES + 3));
    switch (random.int(18)) {
      case 0:
        return `/api/${random.pick(['', 'v3/'])}services`;
      case 1:
        return `/api/services/${service}/operations`;
      case 2:
        return `/api/${random.pick(['', 'v3/'])}operations?service=${service}`;
      case 3:
        return `/api/traces/${id}`;
      case 4:
        return `/api/v3/traces/${id}`;
      case 5:
        return `/api/traces?traceID=${id}&traceID=${traceId(1 + random.int(TRACES))}`;
      case 9:
        return `/api/dependencies?endTs=${this.#fromUnixMs + WINDOW_MS}&lookback=${2 * WINDOW_MS}&inferred=true`;
      case 10:
        return `/api/metrics/${random.pick(['calls', 'errors'])}?service=${service}&endTs=${this.#fromUnixMs + WINDOW_MS}&lookback=${WINDOW_MS}&step=${WINDOW_MS}`;
      case 11:
        return `/api/metrics/latencies?service=${service}&quantile=0.9&endTs=${this.#fromUnixMs + WINDOW_MS}&lookback=0`;
      case 12:
        return `/api/attributes?${this.#completion()}`;
      case 13:
        return `/api/attributes/values?${this.#completion()}&scope=${random.pick(['span', 'resource'])}&name=${random.pick(['user.id', 'note', 'host', 'service.name'])}`;
      case 14:
        return '/api/metrics/minstep';
      case 6:
        return `/api/v3/traces?${this.#v3Search()}`;
      case 7:
        return `/api/v3/trace-summaries?${this.#v3Search()}`;
      case 8:
        return `/api/trace-summaries?${this.#search()}`;
      default:
        return `/api/traces?${this.#search()}`;
    }
  }

  /** All of the window: a narrower one is rounded outwards, differently in each state of a store. */
  #completion(): string {
    const random = this.#random;
    return new URLSearchParams({
      endTs: String(this.#fromUnixMs + 2 * WINDOW_MS),
      lookback: String(3 * WINDOW_MS),
      prefix: random.pick(['', 'u', 'h', '1']),
      limit: String(random.pick([1, 3, 1000])),
    }).toString();
  }

  #v3Search(): string {
    const random = this.#random;
    const startMs = this.#fromUnixMs + random.int(WINDOW_MS);
    return new URLSearchParams({
      'query.startTimeMin': new Date(startMs).toISOString(),
      'query.startTimeMax': new Date(startMs + random.int(WINDOW_MS)).toISOString(),
      'query.searchDepth': String(random.pick([1, 5, 100])),
      'query.serviceName': random.pick(['', ...SERVICES]),
      'query.order': random.pick(TRACE_ORDERS),
    }).toString();
  }

  #search(): string {
    const random = this.#random;
    const startMs = this.#fromUnixMs + random.int(WINDOW_MS);
    const params = new URLSearchParams({
      start: String(startMs * 1000),
      end: String((startMs + random.int(WINDOW_MS)) * 1000),
      limit: String(random.pick([1, 5, 100])),
    });
    if (random.chance(0.6)) params.set('service', random.pick(SERVICES));
    if (random.chance(0.3)) params.set('operation', random.pick(NAMES));
    if (random.chance(0.3)) params.set('tag', `user.id:${random.int(6)}`);
    if (random.chance(0.2)) params.set('tag', 'error:true');
    if (random.chance(0.3)) params.set('minDuration', `${random.int(4000)}ms`);
    if (random.chance(0.5)) params.set('order', random.pick(TRACE_ORDERS));
    if (random.chance(0.2)) params.set('minSpans', String(random.int(6)));
    return params.toString();
  }
}

async function startShared(directory: string): Promise<Twin> {
  const sets = [
    'tenancy.enabled=true',
    `tenancy.header=${HEADER}`,
    `tenancy.tenants=[${TENANTS.join()}]`,
  ];
  return twin(await SpoorProcess.start({ directory, sets }));
}

function twin(server: SpoorProcess): Twin {
  const options = { workers: 1, gzip: false, timeoutMs: 30_000, headers: {}, tenantHeader: HEADER };
  return {
    server,
    transports: [
      new HttpTransport({ ...options, endpoint: server.otlpHttpUrl }),
      new GrpcTransport({ ...options, endpoint: server.otlpGrpcAddress }),
    ],
  };
}

async function end({ server, transports }: Twin): Promise<void> {
  for (const transport of transports) transport.close();
  await server[Symbol.asyncDispose]();
}

async function read(url: string, headers: Record<string, string>): Promise<string> {
  const answer = await fetch(url, { headers });
  return `${answer.status} ${await answer.text()}`;
}
