// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance } from 'fastify';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { createApiApp } from '#api/api-app.ts';
import { LoopTurns } from '#api/loop-turns.ts';
import { BUILT_UI } from '#api/ui/static-ui.ts';
import type { SpoorConfig } from '#config/config.ts';
import { readDuration } from '#config/duration.ts';
import { readEndpoint } from '#config/endpoint.ts';
import { memoryLimits } from '#config/memory-limits.ts';
import { memoryShares } from '#config/memory-shares.ts';
import type { ServerTlsConfig } from '#config/tls-config.ts';
import { BearerTokens } from '#net/bearer-tokens.ts';
import { isThisMachine, warnOfClearTokens } from '#net/clear-tokens.ts';
import { GrpcListener } from '#net/grpc-listener.ts';
import { MemoryBudget } from '#net/memory-budget.ts';
import { ReadGarbage } from '#net/read-garbage.ts';
import { RssGuard } from '#net/rss-guard.ts';
import { Tenancy } from '#net/tenancy.ts';
import { TenantShares } from '#net/tenant-shares.ts';
import { ClientTls } from '#net/tls/client-tls.ts';
import { ClientReports } from '#receivers/jaeger/client-reports.ts';
import { TenantCounters } from '#receivers/tenant-counters.ts';
import { createSamplingApp } from '#sampling/sampling-app.ts';
import { samplingMethod } from '#sampling/sampling-method.ts';
import { StrategiesSource } from '#sampling/strategies-source.ts';
import type { TraceStore } from '#storage/tracestore.ts';
import { createHealthApp } from '#telemetry/health-app.ts';
import type { Logger } from '#telemetry/logger.ts';
import { Metrics, type TlsMetrics } from '#telemetry/metrics.ts';
import { ProcessMetrics } from '#telemetry/process-metrics.ts';
import { Readiness } from '#telemetry/readiness.ts';
import { PipelineGraph, writesToStore } from './graph.ts';
import { HttpAppListener } from './http-app-listener.ts';
import { isListener, listenerOf, type Listener, type Part } from './part.ts';
import { grpcSettings } from './receiver-settings.ts';
import { statusOf } from './status.ts';
import { createStore } from './stores.ts';
import { clientTlsSettings, serverTlsSettings } from './tls-settings.ts';

/**
 * Bodies are taken while those before them are done in this time: exporters give up after ten seconds, and what they send
 * again costs more than what they are told to send later.
 */
const SOON_SECONDS = 2;

/** Taken however slow it goes: some dozens of usual bodies, so that batches do not become small. */
const LEAST_SOON_BYTES = 4 << 20;

const MIB = 1024 * 1024;

/** The parts of one process. */
export interface Components {
  readonly process: ProcessMetrics;
  readonly readiness: Readiness;
  readonly rssGuard: RssGuard;
  /** Undefined when nothing is written to it or read from it. */
  readonly store: TraceStore | undefined;
  readonly graph: PipelineGraph;
  readonly strategies: StrategiesSource;
  /** Lists of tokens that let requests in; none where none are needed. */
  readonly tokens: readonly (Part & Pick<BearerTokens, 'figures'>)[];
  /** Where SDKs ask how to sample. */
  readonly sampling: readonly Listener[];
  /** Undefined when `query.http` is off. */
  readonly api: Listener | undefined;
  /** Undefined when `telemetry.health` is off. */
  readonly health: Listener | undefined;
  /** All that listen, the page first. */
  listeners(): Listener[];
}

/**
 * Builds every part that the configuration asks for; nothing is started. This is the one list of them.
 * @param ownStore in place of what the configuration says, for tests
 */
export function buildComponents(
  config: SpoorConfig,
  logger: Logger,
  version: string,
  ownStore?: TraceStore,
): Components {
  const isStoreUsed = config.query.http.enabled || writesToStore(config);
  const store = ownStore ?? (isStoreUsed ? createStore(config, logger) : undefined);
  const { limitMib, refuseMib } = memoryLimits(config);
  const { bodiesBytes, processBytes } = memoryShares(limitMib);
  const readGarbage = new ReadGarbage();
  const budget = new MemoryBudget(bodiesBytes, {
    soonBytes: () => Math.max(LEAST_SOON_BYTES, SOON_SECONDS * graph.bytesPerSecond),
    beforeReserve: () => readGarbage.look(),
  });
  const rssGuard = new RssGuard(processBytes, refuseMib * MIB, (bytes) => budget.noteRoom(bytes));
  const tokens = {
    ingest: bearerTokens('ingest', config, logger),
    query: bearerTokens('query', config, logger),
  };
  const tenants = config.tenancy.enabled ? config.tenancy : undefined;
  const tenancy = new Tenancy(tenants, tokens.ingest);
  const tenantCounters = config.tenancy.enabled ? new TenantCounters() : undefined;
  const shares =
    tenantCounters && new TenantShares(budget, (tenant) => tenantCounters.countNoRoom(tenant));
  const clientReports = new ClientReports();
  const samplingTls = config.sampling.tls && clientTlsSettings(config.sampling.tls);
  const strategies = new StrategiesSource({
    location: config.sampling.strategies_file,
    tls: samplingTls && new ClientTls('sampling.tls', samplingTls, logger),
    reloadIntervalMs: config.sampling.reload_interval_ms,
    defaultProbability: config.sampling.default_sampling_probability,
    logger,
  });
  const theStore = (): TraceStore => {
    if (store === undefined) throw new Error('the configuration uses no store');
    return store;
  };
  const graph = new PipelineGraph(config, {
    receivers: {
      tenancy,
      budgetOf: (tenant) => shares?.of(tenant) ?? budget,
      tenantCounters,
      logger,
      clientReports,
      strategies,
    },
    exporters: { store: theStore, tenantHeader: tenancy.header, logger },
  });
  const processMetrics = new ProcessMetrics();
  const readiness = new Readiness(() => store?.unhealthy);
  const metrics = new Metrics({
    version,
    process: processMetrics,
    receivers: () => graph.receivers.map((receiver) => receiver.metrics()),
    components: () => graph.counting,
    tokens: () => components.tokens.map(({ path, figures }) => ({ section: path, ...figures })),
    tls: () => components.listeners().flatMap(tlsMetrics),
    jaegerClients: () => clientReports.figures(),
    tenants: () => tenantCounters?.figures() ?? [],
    bodies: () => budget.figures,
    waitingBodies: () => graph.waitingBodies,
    memory: () => ({ limitBytes: rssGuard.limitBytes, isTight: rssGuard.isOver }),
    storeFigures: () => store?.figures() ?? new Map(),
  });
  const { http } = config.query;
  const uiDirectory = config.query.ui.assets_path || BUILT_UI;
  const api = http.enabled
    ? appListener({ name: 'query', path: 'query.http' }, http, logger, () => {
        const { timeout_ms: timeoutMs } = config.query;
        const turns = new LoopTurns();
        const query = { reader: theStore(), logger, timeoutMs, turns, nowUnixMs: Date.now };
        const readers = new Tenancy(tenants, tokens.query);
        const tls = http.tls && serverTlsSettings(http.tls);
        const { host } = readEndpoint(http.endpoint);
        warnOfClearTokens('query.http', { host, tls }, readers, logger);
        const onlyHere = tls === undefined && isThisMachine(host) ? [] : undefined;
        const knownHosts = http.allowed_hosts?.map((name) => name.toLowerCase()) ?? onlyHere;
        return createApiApp({ query, tenancy: readers, metrics, uiDirectory, knownHosts });
      })
    : undefined;
  const { health: healthConfig } = config.telemetry;
  const health = healthConfig.enabled
    ? appListener({ name: 'health', path: 'telemetry.health' }, healthConfig, logger, () =>
        createHealthApp({
          problem: () => readiness.problem,
          status: () => statusOf(components, version),
          metrics,
        }),
      )
    : undefined;
  const sampling = samplingListeners(config, strategies, logger);
  const components: Components = {
    process: processMetrics,
    readiness,
    rssGuard,
    store,
    graph,
    api,
    health,
    strategies,
    tokens: Object.values(tokens).filter((list) => list !== undefined),
    sampling,
    listeners: () =>
      [api, ...graph.receivers.filter(isListener), ...sampling, health].filter(
        (part) => part !== undefined,
      ),
  };
  return components;
}

/** The tokens of a section of `auth`, or undefined when it has none. */
function bearerTokens(
  section: keyof SpoorConfig['auth'],
  { auth, tenancy }: SpoorConfig,
  logger: Logger,
): BearerTokens | undefined {
  const { tokens, tokens_file: tokensFile, reload_interval: interval } = auth[section];
  if (tokens.length === 0 && tokensFile === '') return undefined;
  const settings = {
    tokens,
    tokensFile,
    reloadIntervalMs: readDuration(interval),
    // Browsers ask for the password of Basic by themselves.
    acceptBasic: section === 'query',
    knownTenants: tenancy.enabled ? tenancy.tenants : [DEFAULT_TENANT],
  };
  return new BearerTokens(`auth.${section}`, settings, logger);
}

function tlsMetrics({ path, tls }: Listener): TlsMetrics[] {
  return tls === undefined ? [] : [{ section: path, ...tls.figures }];
}

/** Where SDKs ask how to sample. */
function samplingListeners(
  { sampling }: SpoorConfig,
  strategies: StrategiesSource,
  logger: Logger,
): Listener[] {
  const { http, grpc } = sampling;
  const listeners: Listener[] = [];
  if (http.enabled) {
    const create = (): FastifyInstance => createSamplingApp(strategies);
    const place = { name: 'sampling_http', path: 'sampling.http' };
    listeners.push(appListener(place, http, logger, create));
  }
  if (grpc.enabled) {
    const path = 'sampling.grpc';
    const server = new GrpcListener(path, grpcSettings(grpc), [samplingMethod(strategies)], logger);
    const endpoint = readEndpoint(grpc.endpoint);
    listeners.push(listenerOf({ name: 'sampling_grpc', path, http: false, endpoint }, server));
  }
  return listeners;
}

function appListener(
  { name, path }: Pick<Listener, 'name' | 'path'>,
  section: { readonly endpoint: string; readonly tls?: ServerTlsConfig | undefined },
  logger: Logger,
  create: () => FastifyInstance | Promise<FastifyInstance>,
): Listener {
  const endpoint = readEndpoint(section.endpoint);
  const tls = section.tls && serverTlsSettings(section.tls);
  const server = new HttpAppListener({ path, endpoint, tls }, create, logger);
  return listenerOf({ name, path, http: true, endpoint }, server);
}
