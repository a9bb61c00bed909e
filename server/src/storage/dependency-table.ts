// SPDX-License-Identifier: Apache-2.0
import { EDGE_KIND_NAMES } from '@spoor/core/analysis/edge-kind.ts';
import type { Dependency } from './tracestore.ts';

/** {@link Dependency}s as columns, one a row: tens of thousands of them go from thread to thread in no time. */
export interface DependencyTable {
  readonly names: readonly string[];
  /** Places in `names`. */
  readonly caller: Uint32Array<ArrayBuffer>;
  readonly callee: Uint32Array<ArrayBuffer>;
  /** Place in `EDGE_KIND_NAMES`. */
  readonly kind: Uint8Array<ArrayBuffer>;
  readonly isInferred: Uint8Array<ArrayBuffer>;
  readonly calls: Float64Array<ArrayBuffer>;
  readonly errors: Float64Array<ArrayBuffer>;
  /** Where the latencies of each begin; one more for the end. */
  readonly start: Uint32Array<ArrayBuffer>;
  readonly bucket: Uint32Array<ArrayBuffer>;
  readonly count: Float64Array<ArrayBuffer>;
}

/** @param dependencies in the order that they will have */
export function packDependencies(dependencies: readonly Dependency[]): DependencyTable {
  const places = new Map<string, number>();
  const placeOf = (name: string): number => {
    let place = places.get(name);
    if (place === undefined) places.set(name, (place = places.size));
    return place;
  };
  const rows = dependencies.length;
  const cells = dependencies.reduce((sum, { latency }) => sum + latency.bucket.length, 0);
  const table = {
    caller: Uint32Array.from(dependencies, ({ caller }) => placeOf(caller)),
    callee: Uint32Array.from(dependencies, ({ callee }) => placeOf(callee)),
    kind: Uint8Array.from(dependencies, ({ kind }) => EDGE_KIND_NAMES.indexOf(kind)),
    isInferred: Uint8Array.from(dependencies, ({ isInferred }) => (isInferred ? 1 : 0)),
    calls: Float64Array.from(dependencies, ({ calls }) => calls),
    errors: Float64Array.from(dependencies, ({ errors }) => errors),
    start: new Uint32Array(rows + 1),
    bucket: new Uint32Array(cells),
    count: new Float64Array(cells),
  };
  for (let row = 0; row < rows; row++) {
    const { bucket, count } = dependencies[row]!.latency;
    const at = table.start[row]!;
    table.bucket.set(bucket, at);
    table.count.set(count, at);
    table.start[row + 1] = at + bucket.length;
  }
  return { ...table, names: [...places.keys()] };
}

/** Dependencies of a table, each made when it is its turn. */
export function* unpackDependencies(table: DependencyTable): Generator<Dependency> {
  const { names, caller, callee, kind, isInferred, calls, errors, start } = table;
  for (let row = 0; row < caller.length; row++) {
    const [from, end] = [start[row]!, start[row + 1]!];
    yield {
      caller: names[caller[row]!]!,
      callee: names[callee[row]!]!,
      kind: EDGE_KIND_NAMES[kind[row]!]!,
      isInferred: isInferred[row] === 1,
      calls: calls[row]!,
      errors: errors[row]!,
      latency: {
        bucket: table.bucket.subarray(from, end),
        count: table.count.subarray(from, end),
      },
    };
  }
}

/** The memory of a table, to be given away. */
export function buffersOfDependencies({
  names: _names,
  ...columns
}: DependencyTable): ArrayBuffer[] {
  return Object.values(columns).map(({ buffer }) => buffer);
}
