// SPDX-License-Identifier: Apache-2.0
import { quote } from '@spoor/core/model/errors.ts';
import { isSection, keysIn, valueIn, type Section } from '../config-tree.ts';
import { componentType } from '../named-components.ts';
import {
  BADGER_KEYS,
  GRPC_KEYS,
  HEALTH_KEYS,
  HTTP_KEYS,
  MEMORY_KEYS,
  QUERY_KEYS,
  SAMPLING_KEYS,
  STORAGE_EXPORTER_KEYS,
  TELEMETRY_KEYS,
  UDP_KEYS,
} from './v2-keys.ts';
import { dropSpanMetrics } from './v2-span-metrics.ts';
import { V2Rewriter, type V2Keys } from './v2-rewriter.ts';

const STORAGE_EXPORTER = 'jaeger_storage_exporter';

/** Extensions that show the inside of the collector. */
const INSIGHT = ['expvar', 'pprof', 'zpages'];

const EXTENSIONS = ['jaeger_storage', 'jaeger_query', 'remote_sampling', 'healthcheckv2'];

/**
 * Rewrites a file in the shape of Jaeger 2, or with names of the OpenTelemetry collector, into ours. What Spoor does not
 * have is a problem, and what has no effect a warning; everything else stays as it is.
 * @see https://www.jaegertracing.io/docs/2.12/configuration/
 */
export function rewriteJaegerFile(tree: unknown): V2Rewriter {
  const rewriter = new V2Rewriter(tree);
  rewriteReceivers(rewriter, valueIn(tree, 'receivers'));
  dropSpanMetrics(rewriter);
  if (!isSection(rewriter.tree)) return rewriter;
  const { extensions, ...own } = rewriter.tree;
  const {
    extensions: used,
    telemetry,
    ...service
  } = isSection(own['service']) ? own['service'] : {};
  if (extensions === undefined && used === undefined && telemetry === undefined) {
    return rewriter;
  }
  rewriter.tree = { ...own, service };
  rewriter.rewriteAll(telemetry, TELEMETRY_KEYS, ['service', 'telemetry']);
  if (extensions !== undefined || used !== undefined) {
    rewriteExtensions(rewriter, isSection(extensions) ? extensions : {}, used);
  }
  return rewriter;
}

function rewriteReceivers(rewriter: V2Rewriter, receivers: unknown): void {
  if (!isSection(receivers)) return;
  for (const [id, receiver] of Object.entries(receivers)) {
    const type = componentType(id);
    if (type === 'zipkin') rewriter.rewriteInPlace(['receivers', id], HTTP_KEYS);
    if (type !== 'otlp' && type !== 'jaeger') continue;
    for (const protocol of keysIn(receiver, 'protocols')) {
      const at = ['receivers', id, 'protocols', protocol];
      if (protocol === 'grpc') rewriter.rewriteInPlace(at, GRPC_KEYS);
      else if (protocol.includes('http')) rewriter.rewriteInPlace(at, HTTP_KEYS);
      else rewriter.rewriteInPlace(at, UDP_KEYS);
    }
  }
}

function rewriteExtensions(rewriter: V2Rewriter, extensions: Section, used: unknown): void {
  const ids = Array.isArray(used) ? used.map(String) : [];
  const extensionOf = (type: string): { id: string; section: Section } | undefined => {
    const id = ids.find((name) => componentType(name) === type);
    const section = id === undefined ? undefined : extensions[id];
    return id === undefined ? undefined : { id, section: isSection(section) ? section : {} };
  };
  for (const [i, id] of ids.entries()) {
    const type = componentType(id) ?? id;
    if (INSIGHT.includes(type))
      rewriter.ignore(['extensions', id], 'GET /status and /metrics tell');
    else if (!EXTENSIONS.includes(type)) {
      const path = Object.hasOwn(extensions, id)
        ? ['extensions', id]
        : ['service', 'extensions', String(i)];
      rewriter.refuse(
        path,
        `Spoor has no extension ${quote(id)}; there are: ${EXTENSIONS.join(', ')}`,
      );
    } else if (!Object.hasOwn(extensions, id)) {
      rewriter.refuse(['service', 'extensions', String(i)], `${quote(id)} is not configured`);
    }
  }
  const query = extensionOf('jaeger_query');
  const sampling = extensionOf('remote_sampling');
  const inService = ['service', 'extensions'];
  rewriter.set(['query', 'http', 'enabled'], query !== undefined, inService);
  for (const protocol of ['http', 'grpc']) {
    const isOn = sampling !== undefined && Object.hasOwn(sampling.section, protocol);
    rewriter.set(['sampling', protocol, 'enabled'], isOn, inService);
  }
  const read = (found: typeof query, keys: V2Keys): void => {
    if (found !== undefined) rewriter.rewriteAll(found.section, keys, ['extensions', found.id]);
  };
  read(query, QUERY_KEYS);
  read(sampling, SAMPLING_KEYS);
  read(extensionOf('healthcheckv2'), HEALTH_KEYS);
  rewriteStorage(rewriter, extensionOf('jaeger_storage'), query);
}

/** The store: that of the exporters and of the query extension, which have to be one. */
function rewriteStorage(
  rewriter: V2Rewriter,
  storage: { readonly id: string; readonly section: Section } | undefined,
  query: { readonly id: string; readonly section: Section } | undefined,
): void {
  const uses: { readonly path: readonly string[]; readonly name: unknown }[] = [];
  for (const id of keysIn(rewriter.tree, 'exporters')) {
    if (componentType(id) !== STORAGE_EXPORTER) continue;
    const path = ['exporters', id, 'trace_storage'];
    uses.push({ path, name: valueIn(rewriter.tree, ...path) });
    replaceExporter(rewriter, id);
  }
  if (query !== undefined) {
    const path = ['extensions', query.id, 'storage', 'traces'];
    uses.push({ path, name: valueIn(query.section, 'storage', 'traces') });
  }
  const [first] = uses;
  if (first === undefined) return;
  for (const { path, name } of uses) {
    if (typeof name !== 'string' || !keysIn(storage?.section, 'backends').includes(name)) {
      rewriter.refuse(path, 'must be the name of a backend of the extension jaeger_storage');
    } else if (name !== first.name) {
      rewriter.refuse(path, `a process has one store, and ${first.path.join('.')} is another one`);
    }
  }
  if (rewriter.problems.length > 0 || storage === undefined) return;
  const name = String(first.name);
  const at = ['extensions', storage.id, 'backends', name];
  const backend = valueIn(storage.section, 'backends', name);
  const [kind = 'nothing'] = keysIn(backend);
  const keys = kind === 'badger' ? BADGER_KEYS : kind === 'memory' ? MEMORY_KEYS : undefined;
  if (keys === undefined) {
    rewriter.refuse(
      at,
      `Spoor has no storage of kind ${kind}; it has its own, which takes the place of badger, and memory`,
    );
    return;
  }
  rewriter.set(['storage', 'type'], kind === 'badger' ? 'columnar' : 'memory', [...at, kind]);
  rewriter.rewriteAll(valueIn(backend, kind), keys, [...at, kind]);
}

/** `jaeger_storage_exporter` as `storage`, in the exporters and in the pipelines that name it. */
function replaceExporter(rewriter: V2Rewriter, id: string): void {
  const ours = id.replace(STORAGE_EXPORTER, 'storage');
  const exporters = { ...(valueIn(rewriter.tree, 'exporters') as Section) };
  rewriter.rewriteAll(exporters[id], STORAGE_EXPORTER_KEYS, ['exporters', id]);
  delete exporters[id];
  rewriter.set(['exporters'], { ...exporters, [ours]: {} }, ['exporters']);
  for (const pipeline of keysIn(rewriter.tree, 'service', 'pipelines')) {
    const path = ['service', 'pipelines', pipeline, 'exporters'];
    const list = valueIn(rewriter.tree, ...path);
    if (!Array.isArray(list) || !list.includes(id)) continue;
    rewriter.set(
      path,
      list.map((name: unknown) => (name === id ? ours : name)),
      path,
    );
  }
}
