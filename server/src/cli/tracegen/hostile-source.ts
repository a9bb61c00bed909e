// SPDX-License-Identifier: Apache-2.0
import { AttributeTag, encodeAttribute } from './attribute-writer.ts';
import { BodyWriter } from './body-writer.ts';
import type { HostileValues } from './hostile-values.ts';
import type { Random } from './random.ts';

/** A process of a tenant that sends spans. */
export interface HostileSource {
  /** Empty where the resource has no `service.name`. */
  readonly serviceName: string;
  /** The fields `ResourceSpans.resource` (may be left out) and `schema_url`, encoded. */
  readonly resource: Uint8Array;
  readonly schemaUrl: Uint8Array;
  readonly scopes: readonly HostileScope[];
}

/** A scope, encoded; both fields may be left out. */
interface HostileScope {
  readonly scope: Uint8Array;
  readonly schemaUrl: Uint8Array;
}

/** A tenant of the hostile profile. */
export interface HostileTenant {
  readonly name: string;
  /** Share of the traces, %. */
  readonly weight: number;
  readonly sources: readonly HostileSource[];
}

const NOTHING = new Uint8Array(0);
const WEIGHTS: Readonly<Record<string, number>> = {
  acme: 50,
  globex: 25,
  initech: 15,
  'umbrella-eu_1': 7,
  h: 3,
};
/** Services and their processes a tenant. */
const SERVICES = 24;
const INSTANCES = 2;

/** The tenants with their processes. Services of different tenants share their names. */
export function createHostileTenants(random: Random, values: HostileValues): HostileTenant[] {
  return Object.entries(WEIGHTS).map(([name, weight]) => {
    const sources: HostileSource[] = [];
    for (let i = 0; i < SERVICES * INSTANCES; i++) {
      sources.push(createSource(Math.floor(i / INSTANCES), random, values));
    }
    return { name, weight, sources };
  });
}

function createSource(service: number, random: Random, values: HostileValues): HostileSource {
  // Three services are special: one without a name, one without a resource, one with an odd name.
  const named = service > 1;
  const odd = service === 2;
  const serviceName = odd
    ? 'sérvice/名前 with spaces & "quotes"'
    : named
      ? `service-${String(service).padStart(2, '0')}`
      : '';
  const writer = new BodyWriter(1024);
  if (service !== 1) {
    const resource = writer.begin(0x0a);
    if (named) writer.raw(encodeAttribute(AttributeTag.resource, 'service.name', serviceName));
    writer.reserve(256);
    writer.raw(encodeAttribute(AttributeTag.resource, 'service.instance.id', random.uuid()));
    values.attributes(writer, AttributeTag.resource, random.int(12));
    if (random.chance(0.1)) {
      writer.reserve(8);
      writer.byte(0x10);
      writer.varint(random.between(1, 300));
    }
    writer.end(resource);
  }
  return {
    serviceName,
    resource: writer.copy(),
    schemaUrl: schemaUrl(random),
    scopes: Array.from({ length: random.between(1, 3) }, () => createScope(random, values)),
  };
}

function createScope(random: Random, values: HostileValues): HostileScope {
  if (random.chance(0.1)) return { scope: NOTHING, schemaUrl: NOTHING };
  const writer = new BodyWriter(512);
  const scope = writer.begin(0x0a);
  if (random.chance(0.9)) writer.text(0x0a, `lib.${random.pick(['http', 'grpc', 'sql', '界'])}`);
  if (random.chance(0.7)) writer.text(0x12, `${random.int(3)}.${random.int(9)}.0`);
  values.attributes(writer, AttributeTag.scope, random.chance(0.2) ? 3 : 0);
  writer.end(scope);
  return { scope: writer.copy(), schemaUrl: schemaUrl(random) };
}

function schemaUrl(random: Random): Uint8Array {
  if (random.chance(0.6)) return NOTHING;
  const writer = new BodyWriter(64);
  writer.text(0x1a, `https://opentelemetry.io/schemas/1.${random.between(20, 37)}.0`);
  return writer.copy();
}

/** One of the tenants by their weights. */
export function pickTenant(tenants: readonly HostileTenant[], random: Random): HostileTenant {
  let rest = random.float() * 100;
  for (const tenant of tenants) {
    if (rest < tenant.weight) return tenant;
    rest -= tenant.weight;
  }
  return tenants[0]!;
}
