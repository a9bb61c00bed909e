// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import { AttributeTag, encodeAttributes } from './attribute-writer.ts';
import { BodyWriter } from './body-writer.ts';
import type { Random } from './random.ts';
import {
  SHOP_ENTRANCES,
  SHOP_OPERATIONS,
  SHOP_SERVICES,
  type ShopLibrary,
  type ShopServiceSpec,
} from './shop-catalog.ts';

/** One running process of a service; it has one SDK and one resource. */
export interface ShopInstance {
  readonly index: number;
  readonly service: ShopService;
  /** The field `ResourceSpans.resource`, encoded. */
  readonly resource: Uint8Array;
  /** When in the export interval its SDK exports, 0 to 1. */
  readonly phaseRatio: number;
  /** `network.peer.address` as its callers see it. */
  readonly address: string;
}

/** A service with its instances. */
export interface ShopService {
  /** Bit of the service in a set of services. */
  readonly index: number;
  readonly spec: ShopServiceSpec;
  readonly instances: readonly ShopInstance[];
  /** The field `ScopeSpans.scope`, encoded: of the library, and of the service's own tracer. */
  readonly libraryScope: Uint8Array;
  readonly ownScope: Uint8Array;
}

/** A call that an operation makes. */
interface ShopCall {
  readonly operation: ShopOperation;
  /** True when it goes through Kafka: a PRODUCER and a CONSUMER span. */
  readonly publish: boolean;
}

/** What a service does for a caller. */
export interface ShopOperation {
  readonly index: number;
  readonly service: ShopService;
  readonly name: string;
  /** Name of the SERVER or CONSUMER span. */
  readonly spanName: string;
  /** First word of a name of two words: HTTP method or SQL verb; else the name. */
  readonly verb: string;
  /** Second word: route or table; else empty. */
  readonly object: string;
  readonly selfMicros: number;
  readonly order: boolean;
  readonly calls: readonly ShopCall[];
}

/** The shop: services, instances and operations, the same for the same random source. */
export interface ShopTopology {
  readonly services: readonly ShopService[];
  readonly instances: readonly ShopInstance[];
  readonly operations: readonly ShopOperation[];
  readonly entrances: readonly { readonly operation: ShopOperation; readonly weight: number }[];
}

/** Builds the shop of {@link SHOP_SERVICES}. */
export function createShopTopology(random: Random): ShopTopology {
  const instances: ShopInstance[] = [];
  const services = SHOP_SERVICES.map((spec, index) =>
    createService(spec, index, instances, random),
  );
  const byName = new Map(services.map((service) => [service.spec.name, service]));

  const operations = SHOP_OPERATIONS.map((spec, index) => {
    const service = found(byName.get(spec.service), spec.service);
    const [verb = spec.name, object = ''] = spec.name.split(' ');
    const calls: ShopCall[] = [];
    return {
      spec,
      index,
      service,
      name: spec.name,
      spanName: spanName(service.spec, spec.name),
      verb,
      object,
      selfMicros: spec.selfMicros,
      order: spec.order,
      calls,
    };
  });
  const byKey = new Map(operations.map((op) => [`${op.service.spec.name}/${op.name}`, op]));
  const consumers = new Map(
    operations.filter((op) => op.service.spec.protocol === 'kafka').map((op) => [op.name, op]),
  );
  for (const operation of operations) {
    for (const call of operation.spec.calls) {
      const publish = call.startsWith('kafka:');
      const target = publish ? consumers.get(call.slice(6)) : byKey.get(call);
      operation.calls.push({ operation: found(target, call), publish });
    }
  }
  const entrances = SHOP_ENTRANCES.map(({ operation, weight }) => ({
    operation: found(byKey.get(operation), operation),
    weight,
  }));
  return { services, instances, operations, entrances };
}

function createService(
  spec: ShopServiceSpec,
  index: number,
  all: ShopInstance[],
  random: Random,
): ShopService {
  const instances: ShopInstance[] = [];
  const version = `${random.between(1, 4)}.${random.int(20)}.${random.int(10)}`;
  const service = {
    index,
    spec,
    instances,
    libraryScope: encodeScope(spec.library),
    ownScope: encodeScope({ name: spec.name, version }),
  };
  const replicaSet = random.hex(9);
  for (let i = 0; i < spec.instances; i++) {
    const pod = `${spec.name}-${replicaSet}-${random.suffix(5)}`;
    const node = `ip-10-7-${random.int(4)}-${random.int(250)}.eu-west-1.compute.internal`;
    const instance = {
      index: all.length,
      service,
      resource: encodeResource(spec, version, random.uuid(), pod, node),
      phaseRatio: random.float(),
      address: `10.7.${64 + index}.${10 + i}`,
    };
    instances.push(instance);
    all.push(instance);
  }
  return service;
}

function encodeResource(
  spec: ShopServiceSpec,
  version: string,
  instanceId: string,
  pod: string,
  node: string,
): Uint8Array {
  const writer = new BodyWriter(512);
  const attributes = encodeAttributes(AttributeTag.resource, [
    ['service.name', spec.name],
    ['service.version', version],
    ['service.instance.id', instanceId],
    ['host.name', node],
    ['k8s.pod.name', pod],
    ['k8s.namespace.name', 'shop'],
    ['telemetry.sdk.language', spec.language],
    ['deployment.environment.name', 'production'],
  ]);
  writer.field(0x0a, attributes);
  return writer.copy();
}

function encodeScope(library: ShopLibrary): Uint8Array {
  const writer = new BodyWriter(128);
  const start = writer.begin(0x0a);
  writer.text(0x0a, library.name);
  writer.text(0x12, library.version);
  writer.end(start);
  return writer.copy();
}

function spanName(service: ShopServiceSpec, operation: string): string {
  if (service.protocol === 'grpc') return `${service.grpcService}/${operation}`;
  return service.protocol === 'kafka' ? `process ${operation}` : operation;
}

function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) {
    throw new SpoorError('internal', `tracegen: the shop has no ${JSON.stringify(name)}`);
  }
  return value;
}
