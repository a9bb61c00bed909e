// SPDX-License-Identifier: Apache-2.0
import { IN_FIELD, type SpanColumns } from '#model/span-columns.ts';
import { SpanReader, symbolBytes, symbolText } from '#model/span-reader.ts';
import { decodeResource } from '#model/value-decoder.ts';
import { sortCodePoints } from './code-point-order.ts';
import type { Operation } from './operation-list.ts';

/** Distinct (resource, name, kind) of spans, one a row: what a sealed block lists of its spans. */
export type OperationColumns = Pick<
  SpanColumns,
  'rows' | 'resource' | 'name' | 'kind' | 'resources' | 'names'
> & {
  /** Service of a resource by its code, where the source remembers it. */
  readonly serviceNameOf?: (resource: number) => string;
};

/** Collects the names of services over any number of sources. */
export class ServiceCollector {
  readonly #names = new Set<string>();

  add(columns: OperationColumns): void {
    const { rows } = columns;
    const { resource } = columns;
    // Only rows count: a table may hold a resource whose spans were all left out.
    const used = new Uint8Array(columns.resources.count);
    for (let row = 0; row < rows; row++) used[resource[row]!] = 1;
    used.forEach((isUsed, code) => {
      if (isUsed === 1) this.#names.add(serviceName(columns, code));
    });
  }

  /** Adds what another collector found. */
  addNames(names: Iterable<string>): void {
    for (const name of names) this.#names.add(name);
  }

  /** By code point; the empty one, of spans without a service, is the first. */
  names(): string[] {
    return sortCodePoints([...this.#names]);
  }
}

/** Collects the distinct (name, kind) of one service's spans over any number of sources. */
export class OperationCollector {
  readonly #service: string;
  /** One kind or several, by name: of a few hundred thousand names most have one, and a set takes far more than that. */
  readonly #kinds = new Map<string, number | Set<number>>();

  constructor(service: string) {
    this.#service = service;
  }

  add(columns: SpanColumns): void {
    this.#collect(columns, (row) => new SpanReader(columns).read(row).kind);
  }

  /** As {@link add}, from a list in which every kind fits the byte column; false, and nothing is added, where one does not. */
  addList(list: OperationColumns): boolean {
    if (list.kind.includes(IN_FIELD)) return false;
    this.#collect(list, () => IN_FIELD);
    return true;
  }

  /** Adds what a table has of the service. */
  addTable(table: OperationTable): void {
    for (const [name, kinds] of table.operationsOf(this.#service)) {
      for (const kind of kinds) this.#add(name, kind);
    }
  }

  #collect(columns: OperationColumns, oddKind: (row: number) => number): void {
    const { rows, resources } = columns;
    const ofService = new Uint8Array(resources.count);
    for (let code = 0; code < resources.count; code++) {
      if (serviceName(columns, code) === this.#service) ofService[code] = 1;
    }
    if (!ofService.includes(1)) return;
    const { resource, name, kind } = columns;
    const seen = new Set<number>();
    for (let row = 0; row < rows; row++) {
      if (ofService[resource[row]!] === 0) continue;
      if (kind[row] === IN_FIELD) {
        this.#add(symbolText(columns.names, name[row]!), oddKind(row));
        continue;
      }
      const pair = name[row]! * 256 + kind[row]!;
      if (seen.has(pair)) continue;
      seen.add(pair);
      this.#add(symbolText(columns.names, name[row]!), kind[row]!);
    }
  }

  /** By name, by code point, then kind. */
  *operations(): Generator<Operation> {
    for (const name of sortCodePoints([...this.#kinds.keys()])) {
      const kinds = this.#kinds.get(name)!;
      if (typeof kinds === 'number') yield { name, kind: kinds };
      else for (const kind of [...kinds].sort((a, b) => a - b)) yield { name, kind };
    }
  }

  #add(name: string, kind: number): void {
    const kinds = this.#kinds.get(name);
    if (kinds === undefined) this.#kinds.set(name, kind);
    else if (typeof kinds !== 'number') kinds.add(kind);
    else if (kinds !== kind) this.#kinds.set(name, new Set([kinds, kind]));
  }
}

/** The distinct (service, name, kind) of sources that are added one after the other. */
export class OperationTable {
  readonly #services = new Map<string, Map<string, Set<number>>>();

  /** Names of services, the empty one among them. */
  get services(): Iterable<string> {
    return this.#services.keys();
  }

  /** Kinds by name. */
  operationsOf(service: string): ReadonlyMap<string, ReadonlySet<number>> {
    return this.#services.get(service) ?? NO_OPERATIONS;
  }

  /**
   * @param services by resource
   * @returns how many bytes more it takes, roughly
   */
  add(columns: SpanColumns, services: readonly string[]): number {
    const { resource, name, kind, names } = columns;
    const seen = new Set<number>();
    let bytes = 0;
    for (let row = 0; row < columns.rows; row++) {
      const isOdd = kind[row] === IN_FIELD;
      if (!isOdd) {
        const operation = (resource[row]! * names.count + name[row]!) * 256 + kind[row]!;
        if (seen.has(operation)) continue;
        seen.add(operation);
      }
      bytes += this.#add(
        services[resource[row]!]!,
        symbolText(names, name[row]!),
        isOdd ? new SpanReader(columns).read(row).kind : kind[row]!,
      );
    }
    return bytes;
  }

  #add(service: string, name: string, kind: number): number {
    let bytes = 0;
    let operations = this.#services.get(service);
    if (operations === undefined) {
      this.#services.set(service, (operations = new Map()));
      bytes += ENTRY_BYTES + service.length * 2;
    }
    let kinds = operations.get(name);
    if (kinds === undefined) {
      operations.set(name, (kinds = new Set()));
      bytes += ENTRY_BYTES + name.length * 2;
    }
    if (!kinds.has(kind)) bytes += KIND_BYTES;
    kinds.add(kind);
    return bytes;
  }
}

const NO_OPERATIONS: ReadonlyMap<string, ReadonlySet<number>> = new Map();

/** What a text takes in a map beside its letters, with what it stands for; and a number in a set. */
const ENTRY_BYTES = 256;
const KIND_BYTES = 16;

function serviceName({ resources, serviceNameOf }: OperationColumns, code: number): string {
  return serviceNameOf?.(code) ?? decodeResource(symbolBytes(resources, code)).serviceName;
}
