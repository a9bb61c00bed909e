// SPDX-License-Identifier: Apache-2.0

interface KeyValue {
  readonly key: string;
  readonly type: string;
  readonly value: unknown;
}

/** What is looked at of a trace in Jaeger's JSON. */
export interface JaegerTrace {
  readonly spans: readonly {
    readonly spanID: string;
    readonly operationName: string;
    readonly flags?: number;
    readonly references: readonly { readonly refType: string; readonly spanID: string }[];
    readonly tags: readonly KeyValue[];
    readonly logs: readonly { readonly fields: readonly KeyValue[] }[];
    readonly processID: string;
  }[];
  readonly processes: Readonly<
    Record<string, { readonly serviceName: string; readonly tags: readonly KeyValue[] }>
  >;
}

/** A span without what differs from run to run; attributes are `key=value` with the value's type. */
interface SpanView {
  readonly name: string;
  readonly service: string;
  readonly flags: number;
  readonly references: readonly string[];
  readonly tags: readonly string[];
  readonly logs: readonly (readonly string[])[];
}

/** How the spans of a client look: which one it is, and in which format it sends. */
export type ClientStyle =
  | 'jaeger-client'
  | 'otel jaeger'
  | 'otel jaeger without flags'
  | 'otel zipkin'
  | 'otel zipkin without scope'
  | 'zipkin';

/** Tags that say where a client runs or how it samples, and those of resources that some exporters send twice. */
const IGNORED =
  /^(ip|hostname|client-uuid|jaeger\.version|sampler\.|host\.name|service\.name|zipkin\.debug)/;

/** The spans of a trace by their names. */
export function viewOf({ spans, processes }: JaegerTrace): SpanView[] {
  const names = new Map(spans.map(({ spanID, operationName }) => [spanID, operationName]));
  return spans
    .map((span) => ({
      name: span.operationName,
      service: processes[span.processID]!.serviceName,
      flags: span.flags ?? 0,
      references: span.references.map(
        ({ refType, spanID }) => `${refType} ${names.get(spanID) ?? spanID}`,
      ),
      tags: texts([...span.tags, ...processes[span.processID]!.tags]),
      logs: span.logs.map(({ fields }) => texts(fields).map(eventText)),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function texts(list: readonly KeyValue[]): string[] {
  return (
    list
      .filter(({ key }) => !IGNORED.test(key))
      // JavaScript has doubles only.
      .map(
        ({ key, type, value }) =>
          `${key}=${type.replace(/^(int|float)64$/, 'number')} ${String(value)}`,
      )
      .sort()
  );
}

/** The name of the event without the form that each exporter gives it. */
function eventText(text: string): string {
  return text.includes('cache miss') ? 'cache miss' : text;
}

const TYPED = ['double=number 0.25', 'int=number 42', 'text=string 未命中', 'yes=bool true'];
const FLAT = ['double=string 0.25', 'int=string 42', 'text=string 未命中', 'yes=string true'];
const SCOPE = ['otel.scope.name=string spoor.old', 'otel.scope.version=string 1.2.3'];
const FAILED = ['error=bool true', 'otel.status_code=string ERROR'];
const TIMEOUT = 'otel.status_description=string timeout 超时';

/** What must be seen of the trace that a client sends. */
export function expectedView(style: ClientStyle): SpanView[] {
  if (style === 'zipkin') {
    return [
      {
        name: 'get',
        service: 'old-shop',
        flags: 0,
        references: [],
        tags: [
          'http.path=string /bücher',
          'net.host.ip=string 10.0.0.1',
          'net.host.port=number 80',
          'span.kind=string server',
        ],
        logs: [['cache miss']],
      },
    ];
  }
  const root = { name: 'get /bücher 📚', references: [] as string[] };
  const child = { name: 'select', references: ['CHILD_OF get /bücher 📚'], logs: [] };
  const kinds = ['span.kind=string server', 'span.kind=string client'] as const;
  if (style === 'jaeger-client') {
    // The debug flag, which the client sets where it is told to sample.
    const common = { service: 'old-shop', flags: 3 };
    const own = ['colour=string blue'];
    return [
      {
        ...root,
        ...common,
        tags: [...own, ...TYPED, 'sampling.priority=number 1', kinds[0]].sort(),
        logs: [['cache miss', 'tries=number 3']],
      },
      {
        ...common,
        name: 'later',
        // The client names it as the parent as well.
        references: ['FOLLOWS_FROM select'],
        tags: own,
        logs: [],
      },
      { ...child, ...common, tags: [...own, ...FAILED, kinds[1]].sort() },
    ];
  }
  const isJaeger = style.startsWith('otel jaeger');
  const scope = style === 'otel zipkin without scope' ? [] : SCOPE;
  const common = { service: 'otel-shop', flags: style === 'otel jaeger' ? 1 : 0 };
  return [
    {
      ...root,
      ...common,
      references: isJaeger ? ['FOLLOWS_FROM b7ad6b7169203331'] : [],
      tags: [...(isJaeger ? TYPED : FLAT), ...scope, kinds[0]].sort(),
      logs: isJaeger ? [['cache miss', 'tries=number 3']] : [['cache miss']],
    },
    { ...child, ...common, tags: [...FAILED, TIMEOUT, ...scope, kinds[1]].sort() },
  ];
}
