// SPDX-License-Identifier: Apache-2.0
import { SpanKind, StatusCode } from '@spoor/core/model/span.ts';
import { formatTraceId } from '@spoor/core/model/ids.ts';
import { AttributeTag } from './attribute-writer.ts';
import { BodyWriter } from './body-writer.ts';
import type { TruthRecorder } from './corpus-truth.ts';
import type { HostileSource, HostileTenant } from './hostile-source.ts';
import type { HostileValues } from './hostile-values.ts';
import type { Random } from './random.ts';

/** A span that waits for its request. */
export interface HostileSpan {
  readonly source: HostileSource;
  /** Index into the source's scopes. */
  readonly scope: number;
  /** The field `ScopeSpans.spans`. */
  readonly bytes: Uint8Array;
}

/** A span that later ones may have as parent. */
interface Parent {
  readonly id: Uint8Array;
  readonly parentId: Uint8Array | undefined;
  readonly source: HostileSource;
  readonly startUnixNano: bigint;
}

/** The large trace has more spans than are worth remembering: parents are among the last of them. */
const MAX_PARENTS = 512;
const ZERO_ID = new Uint8Array(8);
/** 2262-04-01, ten days before signed 64-bit ns end. */
const YEAR_2262_NANOS = 9_222_508_800_000_000_000n;

/** What traces are made with. */
export interface HostileTools {
  readonly random: Random;
  readonly values: HostileValues;
  readonly recorder: TruthRecorder;
}

/** A trace that grows span by span. */
export class HostileTrace {
  readonly tenant: HostileTenant;
  readonly id: Uint8Array;
  readonly #tools: HostileTools;
  readonly #baseUnixNano: bigint;
  readonly #parents: Parent[] = [];
  readonly #writer = new BodyWriter(4096);
  readonly #services = new Set<string>();
  #spanCount = 0;
  #errorCount = 0;
  #startUnixNano = 0n;
  #endUnixNano = 0n;
  #root:
    | { readonly startUnixNano: bigint; readonly service: string; readonly name: string }
    | undefined;

  /** @param id 16 bytes; another tenant may have a trace with the same */
  constructor(tools: HostileTools, tenant: HostileTenant, id: Uint8Array, baseUnixNano: bigint) {
    this.#tools = tools;
    this.tenant = tenant;
    this.id = id;
    this.#baseUnixNano = baseUnixNano;
  }

  get spanCount(): number {
    return this.#spanCount;
  }

  /** Makes the next span. */
  next(): HostileSpan {
    const { random } = this.#tools;
    const above = this.#parents.length === 0 ? undefined : random.pick(this.#parents);
    // Zipkin's habit: the server's span has the ids of the client's.
    const shared = above !== undefined && random.chance(0.1);
    let id: Uint8Array = new Uint8Array(8);
    let parentId: Uint8Array | undefined;
    if (shared) {
      id = above.id;
      parentId = above.parentId;
    } else {
      random.fill(id);
      id[0]! |= 1;
      parentId = above?.id;
      if (above !== undefined && random.chance(0.02)) {
        parentId = new Uint8Array(8);
        random.fill(parentId);
        parentId[0]! |= 1;
      }
    }
    const source =
      above === undefined || shared || random.chance(0.5)
        ? random.pick(this.tenant.sources)
        : above.source;
    const [startUnixNano, endUnixNano] = this.#times(above);
    const kind = shared ? SpanKind.server : this.#kind();
    if (this.#parents.length < MAX_PARENTS)
      this.#parents.push({ id, parentId, source, startUnixNano });
    else this.#parents[random.int(MAX_PARENTS)] = { id, parentId, source, startUnixNano };

    const name = this.#name();
    const failed = this.#write(id, parentId, name, kind, startUnixNano, endUnixNano);
    this.#count(source, name, kind, startUnixNano, endUnixNano, parentId === undefined, failed);
    return { source, scope: random.int(source.scopes.length), bytes: this.#writer.copy() };
  }

  /** Tells the recorder what the trace holds; no span may follow. */
  finish(): void {
    this.#tools.recorder.trace({
      tenant: this.tenant.name,
      traceId: formatTraceId(this.id, 0),
      spanCount: this.#spanCount,
      errorCount: this.#errorCount,
      rootServiceName: this.#root?.service ?? '',
      rootSpanName: this.#root?.name ?? '',
      startTimeUnixNano: this.#startUnixNano,
      endTimeUnixNano: this.#endUnixNano,
      serviceNames: [...this.#services].toSorted(),
      userId: '',
      orderId: '',
    });
  }

  #times(above: Parent | undefined): [bigint, bigint] {
    const { random } = this.#tools;
    const offsetNanos = BigInt(1 + Math.floor(random.logNormal(500_000, 1.5)));
    const durationNanos = BigInt(Math.floor(random.logNormal(3_000_000, 1.5)));
    const misdated = random.chance(0.001);
    if (!misdated) {
      const sane =
        above !== undefined &&
        above.startUnixNano >= this.#baseUnixNano &&
        above.startUnixNano < YEAR_2262_NANOS;
      const start = (sane ? above.startUnixNano : this.#baseUnixNano) + offsetNanos;
      return [start, start + durationNanos];
    }
    switch (random.int(3)) {
      case 0: // 1970
        return [offsetNanos, offsetNanos + durationNanos];
      case 1:
        return [YEAR_2262_NANOS + offsetNanos, YEAR_2262_NANOS + offsetNanos + durationNanos];
      default:
        return [this.#baseUnixNano + offsetNanos + durationNanos, this.#baseUnixNano + offsetNanos];
    }
  }

  #kind(): number {
    const { random } = this.#tools;
    if (random.chance(0.002)) return random.pick([6, 300]);
    return random.int(6);
  }

  #name(): string {
    const { random, values } = this.#tools;
    const dice = random.float();
    if (dice < 0.95) return `operation-${Math.floor(300 * random.float() ** 2)}`;
    if (dice < 0.98) return `GET /users/${random.int(1_000_000)}`;
    if (dice < 0.998) return values.text();
    return 'n'.repeat(2000);
  }

  /** Writes the span and says whether its status is ERROR. */
  #write(
    id: Uint8Array,
    parentId: Uint8Array | undefined,
    name: string,
    kind: number,
    startUnixNano: bigint,
    endUnixNano: bigint,
  ): boolean {
    const { random, values } = this.#tools;
    const writer = this.#writer;
    writer.position = 0;
    const span = writer.begin(0x12);
    writer.field(0x0a, this.id);
    writer.field(0x12, id);
    if (random.chance(0.1)) writer.text(0x1a, `vendor=${random.hex(8)},other=00f067aa0ba902b7`);
    if (parentId !== undefined) writer.field(0x22, parentId);
    else if (random.chance(0.05)) writer.field(0x22, ZERO_ID);
    if (name !== '') writer.text(0x2a, name);
    writer.reserve(64);
    if (kind !== 0) {
      writer.byte(0x30);
      writer.varint(kind);
    }
    writeFixed64(writer, 0x39, startUnixNano);
    writeFixed64(writer, 0x41, endUnixNano);
    values.attributes(writer, AttributeTag.span, Math.floor(22 * random.float() ** 1.5));
    if (random.chance(0.006)) values.largeAttribute(writer, AttributeTag.span);
    if (random.chance(0.02)) writeCount(writer, 0x50, random.between(1, 100));
    this.#events(writer, startUnixNano);
    this.#links(writer);
    const failed = this.#status(writer);
    if (random.chance(0.8)) {
      writer.reserve(8);
      writer.byte(0x85);
      writer.byte(0x01);
      writer.fixed32(random.chance(0.01) ? 0xffffffff : random.pick([0x101, 0x301, 1]));
    }
    writer.end(span);
    return failed;
  }

  #events(writer: BodyWriter, startUnixNano: bigint): void {
    const { random, values } = this.#tools;
    const count = random.chance(0.2) ? random.between(1, 3) : 0;
    for (let i = 0; i < count; i++) {
      const event = writer.begin(0x5a);
      if (random.chance(0.98))
        writeFixed64(writer, 0x09, startUnixNano + BigInt(random.int(100_000)));
      if (random.chance(0.98)) writer.text(0x12, random.pick(['exception', 'log', 'message', '✓']));
      values.attributes(writer, AttributeTag.event, random.int(5));
      if (random.chance(0.05)) writeCount(writer, 0x20, random.between(1, 9));
      writer.end(event);
    }
    if (random.chance(0.01)) writeCount(writer, 0x60, random.between(1, 9));
  }

  #links(writer: BodyWriter): void {
    const { random, values } = this.#tools;
    const count = random.chance(0.05) ? random.between(1, 3) : 0;
    for (let i = 0; i < count; i++) {
      const link = writer.begin(0x6a);
      const ids = new Uint8Array(24);
      random.fill(ids);
      ids[0]! |= 1;
      ids[16]! |= 1;
      writer.field(0x0a, random.chance(0.3) ? this.id : ids.subarray(0, 16));
      writer.field(0x12, ids.subarray(16));
      if (random.chance(0.2)) writer.text(0x1a, 'link=state');
      values.attributes(writer, AttributeTag.link, random.int(3));
      if (random.chance(0.1)) writeCount(writer, 0x28, random.between(1, 9));
      writer.end(link);
    }
    if (random.chance(0.01)) writeCount(writer, 0x70, random.between(1, 9));
  }

  #status(writer: BodyWriter): boolean {
    const { random, values } = this.#tools;
    const dice = random.float();
    if (dice < 0.7) return false;
    const status = writer.begin(0x7a);
    const failed = dice >= 0.9;
    if (failed || dice < 0.72) writer.text(0x12, values.text());
    if (failed) {
      writer.byte(0x18);
      writer.byte(StatusCode.error);
    } else if (dice > 0.71) {
      writer.byte(0x18);
      writer.byte(StatusCode.ok);
    }
    writer.end(status);
    return failed;
  }

  #count(
    source: HostileSource,
    name: string,
    kind: number,
    startUnixNano: bigint,
    endUnixNano: bigint,
    root: boolean,
    failed: boolean,
  ): void {
    const service = source.serviceName;
    this.#tools.recorder.operation(this.tenant.name, service, name, kind).spanCount++;
    if (service !== '') this.#services.add(service);
    const first = this.#spanCount === 0;
    this.#spanCount++;
    if (failed) this.#errorCount++;
    if (first || startUnixNano < this.#startUnixNano) this.#startUnixNano = startUnixNano;
    if (first || endUnixNano > this.#endUnixNano) this.#endUnixNano = endUnixNano;
    if (root && (this.#root === undefined || startUnixNano < this.#root.startUnixNano)) {
      this.#root = { startUnixNano, service, name };
    }
  }
}

function writeFixed64(writer: BodyWriter, tag: number, value: bigint): void {
  writer.reserve(16);
  writer.byte(tag);
  writer.fixed32(Number(value & 0xffffffffn));
  writer.fixed32(Number((value >> 32n) & 0xffffffffn));
}

function writeCount(writer: BodyWriter, tag: number, count: number): void {
  writer.reserve(8);
  writer.byte(tag);
  writer.varint(count);
}
