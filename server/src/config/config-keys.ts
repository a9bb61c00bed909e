// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { EXPORTER_SCHEMAS, PROCESSOR_SCHEMAS, RECEIVER_SCHEMAS } from './component-schemas.ts';
import { configSchema } from './config.ts';
import { componentType } from './named-components.ts';
import { PIPELINE_SCHEMAS } from './pipeline-config.ts';

/** One key of the configuration: a section with keys of its own, or a value. */
export interface ConfigKey {
  /** Dotted path, empty for the whole. */
  readonly path: string;
  readonly description: string;
  /** Keys below, by name; undefined for a value. */
  readonly children: ReadonlyMap<string, ConfigKey> | undefined;
  /** Where names below are free: the section that each of them has. */
  readonly entry: ConfigKey | undefined;
  /** The keys below are types of components: each may be there several times, as `type/name`. */
  readonly isNamed: boolean;
  /** Its value is not shown. */
  readonly isSecret: boolean;
}

const ALL_TYPES = {
  receivers: Object.keys(RECEIVER_SCHEMAS),
  processors: Object.keys(PROCESSOR_SCHEMAS),
  exporters: Object.keys(EXPORTER_SCHEMAS),
  pipelines: Object.keys(PIPELINE_SCHEMAS),
};
const NAMED_SECTIONS = new Set(['receivers', 'processors', 'exporters', 'service.pipelines']);

/** The part of JSON Schema that `z.toJSONSchema` makes of our schemas. */
export interface JsonSchema {
  readonly description?: string;
  readonly writeOnly?: boolean;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | false;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
}

/** The schema of a configuration with one component of each type. */
export function configJsonSchema(): JsonSchema {
  // Our schemas are made of the parts that the type has; that of the library is looser.
  return z.toJSONSchema(configSchema(ALL_TYPES), { io: 'input' }) as JsonSchema;
}

/** What a schema is of, below what says whether it must be there and what stands in its place. */
function innerOf(schema: z.ZodType): z.ZodType | undefined {
  const { ZodDefault, ZodOptional, ZodPipe, ZodPrefault } = z;
  let inner: unknown;
  if (schema instanceof ZodPipe) inner = schema.in;
  else if (schema instanceof ZodDefault || schema instanceof ZodOptional) inner = schema.unwrap();
  else if (schema instanceof ZodPrefault) inner = schema.unwrap();
  return inner instanceof z.ZodType ? inner : undefined;
}

function readKey(path: string, schema: z.ZodType): ConfigKey {
  let description: string | undefined;
  let isSecret = false;
  let children: ConfigKey['children'];
  let entry: ConfigKey | undefined;
  for (let at: z.ZodType | undefined = schema; at !== undefined; at = innerOf(at)) {
    description ??= at.description;
    isSecret ||= at.meta()?.['writeOnly'] === true;
    if (at instanceof z.ZodObject) children = readChildren(path, at.shape);
    if (at instanceof z.ZodRecord && at.valueType instanceof z.ZodObject) {
      entry = readKey(`${path}.NAME`, at.valueType);
    }
  }
  return {
    path,
    description: description ?? '',
    children,
    entry,
    isNamed: NAMED_SECTIONS.has(path),
    isSecret,
  };
}

function readChildren(path: string, shape: z.ZodRawShape): ConfigKey['children'] {
  const children = new Map<string, ConfigKey>();
  for (const [name, child] of Object.entries(shape)) {
    if (!(child instanceof z.ZodType)) continue;
    children.set(name, readKey(path === '' ? name : `${path}.${name}`, child));
  }
  return children;
}

/** The tree of all keys, read from the schema itself: by way of JSON Schema it takes 40 ms of each start. */
export function configKeys(): ConfigKey {
  return readKey('', configSchema(ALL_TYPES));
}

/** The key of this name directly below, or undefined. */
export function childKey(key: ConfigKey, name: string): ConfigKey | undefined {
  return (
    key.children?.get(name) ??
    key.entry ??
    (key.isNamed ? key.children?.get(componentType(name) ?? '') : undefined)
  );
}

/** The key at a path, or undefined. */
export function findKey(root: ConfigKey, parts: readonly string[]): ConfigKey | undefined {
  let key: ConfigKey | undefined = root;
  for (const part of parts) key = key && childKey(key, part);
  return key;
}

/** Whether the value at a path may be a secret: it is one, lies in one, or stands where a section with one should be. */
export function isSecretAt(root: ConfigKey, parts: readonly string[]): boolean {
  let key: ConfigKey | undefined = root;
  for (const part of parts) {
    key = key && childKey(key, part);
    if (key?.isSecret === true) return true;
  }
  return key?.children?.values().some((child) => child.isSecret) === true;
}

/** Every key below `key`, sections before what they hold. */
export function* walkKeys(key: ConfigKey): Generator<ConfigKey> {
  for (const child of key.children?.values() ?? []) {
    yield child;
    yield* walkKeys(child);
  }
}
