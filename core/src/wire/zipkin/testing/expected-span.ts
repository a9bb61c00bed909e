// SPDX-License-Identifier: Apache-2.0
import type { Attribute } from '#model/attributes.ts';
import type { Span } from '#model/span.ts';
import type { Endpoint, ZipkinSpan } from './zipkin-model.ts';

const KINDS = { CLIENT: 3, SERVER: 2, PRODUCER: 4, CONSUMER: 5 } as const;
const STATUSES = ['UNSET', 'OK', 'ERROR'];
const RESOURCE_KEY =
  /^(service|telemetry|host|os|process|container|k8s|cloud|deployment|faas|device|webengine)\./;

/** What a span is in OpenTelemetry's model, written down a second time and the slow way. */
export function expectedSpan(span: ZipkinSpan): Span {
  const tags = new Map(Object.entries(span.tags ?? {}));
  const take = (key: string, fits: (value: string) => boolean = () => true): string | undefined => {
    const value = tags.get(key);
    if (value === undefined || !fits(value)) return undefined;
    tags.delete(key);
    return value;
  };
  const back: [string, string][] = [];
  const kindTag = take('span.kind');
  let kind: number = span.kind === undefined ? 0 : KINDS[span.kind];
  if (kindTag === 'internal' && kind === 0) kind = 1;
  else if (kindTag !== undefined) back.push(['span.kind', kindTag]);

  const code = take('otel.status_code', (value) =>
    STATUSES.includes(value.replace(/^STATUS_CODE_/, '')),
  )?.replace('STATUS_CODE_', '');
  const error = take('error');
  const description = take('otel.status_description');
  let status = code === undefined ? undefined : STATUSES.indexOf(code);
  let message = description ?? '';
  if (error === 'false') back.push(['error', error]);
  else if (error !== undefined) {
    status = 2;
    const isMessage = error !== '' && error !== 'true';
    if (isMessage && description === undefined) message = error;
    else if (isMessage && description !== error) back.push(['error', error]);
  }
  if (status === undefined && description !== undefined) {
    back.push(['otel.status_description', description]);
  }
  const traceState = take('w3c.tracestate') ?? '';

  const scopeName = take('otel.scope.name');
  const scopeVersion = take('otel.scope.version');
  const libraryName = take('otel.library.name');
  const libraryVersion = take('otel.library.version');
  const name = scopeName ?? libraryName;
  if (name === undefined) {
    if (scopeVersion !== undefined) back.push(['otel.scope.version', scopeVersion]);
    if (libraryVersion !== undefined) back.push(['otel.library.version', libraryVersion]);
  } else {
    if (scopeName !== undefined && libraryName !== undefined && scopeName !== libraryName) {
      back.push(['otel.library.name', libraryName]);
    }
    if (
      scopeVersion !== undefined &&
      libraryVersion !== undefined &&
      scopeVersion !== libraryVersion
    ) {
      back.push(['otel.library.version', libraryVersion]);
    }
  }
  const { localEndpoint: local = {}, remoteEndpoint: remote = {} } = span;
  const plain = [...tags].filter(([key]) => !RESOURCE_KEY.test(key));
  const ofResource = [...tags].filter(([key]) => RESOURCE_KEY.test(key));
  const attributes = [
    ...plain.map(text),
    ...back.map(text),
    ...addressOf(local, 'host'),
    ...(remote.serviceName === undefined ? [] : [text(['peer.service', remote.serviceName])]),
    ...addressOf(remote, 'peer'),
    ...(span.timestamp === undefined ? [flag('otel.zipkin.absentField.startTime')] : []),
    ...(span.debug === true ? [flag('zipkin.debug')] : []),
    ...(span.shared === true ? [flag('zipkin.shared')] : []),
  ];
  const resourceAttributes = [
    ...(local.serviceName === undefined ? [] : [text(['service.name', local.serviceName])]),
    ...ofResource.map(text),
  ];
  const start = BigInt(span.timestamp ?? 0) * 1000n;
  return {
    // Hex of the right length by its maker.
    traceId: span.traceId.padStart(32, '0') as Span['traceId'],
    spanId: span.id as Span['spanId'],
    parentSpanId: (span.parentId === span.id ? '' : (span.parentId ?? '')) as Span['spanId'],
    traceState,
    flags: 0,
    name: span.name ?? '',
    kind,
    startTimeUnixNano: start,
    endTimeUnixNano: BigInt.asUintN(64, start + BigInt(span.duration ?? 0) * 1000n),
    status: status === undefined ? undefined : { code: status, message },
    attributes,
    droppedAttributesCount: 0,
    events: (span.annotations ?? []).map(({ timestamp, value }) => ({
      timeUnixNano: BigInt(timestamp) * 1000n,
      name: value,
      attributes: [],
      droppedAttributesCount: 0,
    })),
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    resource: {
      present: true,
      serviceName: local.serviceName ?? '',
      attributes: resourceAttributes,
      droppedAttributesCount: 0,
      schemaUrl: '',
    },
    scope: {
      present: name !== undefined,
      name: name ?? '',
      version: name === undefined ? '' : (scopeVersion ?? libraryVersion ?? ''),
      attributes: [],
      droppedAttributesCount: 0,
      schemaUrl: '',
    },
  };
}

function addressOf({ ipv4, ipv6, port }: Endpoint, side: string): Attribute[] {
  const ips = [ipv4, ipv6].filter((ip) => ip !== undefined);
  return [
    ...ips.map((ip) => text([`net.${side}.ip`, ip])),
    ...(port === undefined
      ? []
      : [{ key: `net.${side}.port`, value: { type: 'int', value: BigInt(port) } } as const]),
  ];
}

function text([key, value]: [string, string]): Attribute {
  return { key, value: { type: 'string', value } };
}

function flag(key: string): Attribute {
  return { key, value: { type: 'bool', value: true } };
}
