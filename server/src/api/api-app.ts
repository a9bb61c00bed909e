// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance } from 'fastify';
import { createHttpApp } from '#net/http-app.ts';
import type { Tenancy } from '#net/tenancy.ts';
import type { Metrics } from '#telemetry/metrics.ts';
import {
  answerError,
  answerPathError,
  answerUnreadable,
  type HeadLimits,
  isApiPath,
  sendApiError,
} from './api-error.ts';
import { addAttributeRoutes } from './attribute-routes.ts';
import { addBodyLimit, boundBody } from './body-limit.ts';
import { addDependencyRoutes } from './jaeger/dependency-routes.ts';
import { addMetricsRoutes } from './jaeger/metrics-routes.ts';
import { addV1Routes } from './jaeger/v1-routes.ts';
import { addV3Routes } from './jaeger/v3-routes.ts';
import { addKnownHosts } from './known-hosts.ts';
import type { QueryContext } from './query-context.ts';
import { addSecurityHeaders } from './security-headers.ts';
import { staticUi } from './ui/static-ui.ts';

const HEAD_LIMITS: HeadLimits = {
  // TraceQL of 8,192 characters takes up to 72 KiB as part of a URL, nine bytes for each; the rest is for all else.
  headerBytes: 96 * 1024,
  // A service name or trace id, after decoding.
  pathParameterLength: 4096,
};
/** No route reads a body; a larger one is refused. */
const MAX_BODY_BYTES = 64 * 1024;
/** Time for a client to send its request, unless told, in ms. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Connections at a time: browsers use six, so this is some hundred people. */
const MAX_CONNECTIONS = 1000;

const METRICS_ELSEWHERE = `Metrics are of all tenants, so they are not served beside the query API of one.
They are on the port of telemetry.health.
`;

/** What the server serves. */
export interface ApiOptions {
  readonly query: QueryContext;
  readonly tenancy: Tenancy;
  readonly metrics: Metrics;
  /** Directory of the built page. */
  readonly uiDirectory: string;
  /** By which names it may be called; undefined: any. See {@link addKnownHosts}. */
  readonly knownHosts?: readonly string[] | undefined;
  /** Time for a client to send its request, in ms; thirty seconds unless given. */
  readonly requestTimeoutMs?: number | undefined;
}

/** The web page, the query API and the metrics for one port; not yet listening. */
export async function createApiApp(options: ApiOptions): Promise<FastifyInstance> {
  const { query, metrics, tenancy } = options;
  const app = createHttpApp({
    requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    http: { maxHeaderSize: HEAD_LIMITS.headerBytes },
    routerOptions: {
      maxParamLength: HEAD_LIMITS.pathParameterLength,
      ignoreTrailingSlash: true,
    },
    forceCloseConnections: 'idle',
    // A path that cannot be decoded comes here, and neither to hooks nor to the error handler.
    frameworkErrors: (error, request, reply) => {
      void boundBody(request.raw, MAX_BODY_BYTES);
      void answerPathError(error, request, reply, { limits: HEAD_LIMITS, logger: query.logger });
    },
    clientErrorHandler: (error, socket) => answerUnreadable(error, socket, HEAD_LIMITS),
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  app.setErrorHandler((error: Error, request, reply) =>
    answerError(error, request, reply, query.logger),
  );
  addSecurityHeaders(app);
  addBodyLimit(app, MAX_BODY_BYTES);
  if (options.knownHosts !== undefined) addKnownHosts(app, options.knownHosts);
  addTokens(app, tenancy);
  addTenancy(app, tenancy);
  addV1Routes(app, query);
  addV3Routes(app, query);
  addDependencyRoutes(app, query);
  addMetricsRoutes(app, query);
  addAttributeRoutes(app, query);
  app.get('/metrics', async (_request, reply) =>
    tenancy.header === undefined
      ? reply.type(metrics.contentType).send(await metrics.expose())
      : reply.code(404).type('text/plain; charset=utf-8').send(METRICS_ELSEWHERE),
  );
  const answerPage = staticUi(options.uiDirectory, query.logger);
  app.setNotFoundHandler((request, reply) => {
    const read = request.method === 'GET' || request.method === 'HEAD';
    if (read && !isApiPath(request.url)) return answerPage(request, reply);
    const [path = ''] = request.url.split('?');
    return sendApiError(request, reply, 404, `there is no ${request.method} ${path.slice(0, 200)}`);
  });
  return app;
}

/** Lets in only requests with a token, whatever they are for, where there are tokens. */
function addTokens(app: FastifyInstance, tenancy: Tenancy): void {
  const { challenges } = tenancy;
  if (challenges === undefined) return;
  app.addHook('onRequest', async (request) => {
    tenancy.authenticate((header) => request.headers[header], request.ip);
  });
  app.addHook('onSend', async (_request, reply) => {
    if (reply.statusCode === 401) void reply.header('www-authenticate', challenges);
  });
}

function addTenancy(app: FastifyInstance, tenancy: Tenancy): void {
  app.decorate('tenancy', tenancy);
  const { header } = tenancy;
  if (header === undefined) return;
  // A cache between must not give one tenant's answer to another.
  app.addHook('onRequest', async (_request, reply) => {
    void reply.header('vary', header);
  });
}
