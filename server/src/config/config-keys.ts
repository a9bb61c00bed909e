// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { configSchema } from './config.ts';

/** One key of the configuration: a section with keys of its own, or a value. */
export interface ConfigKey {
  /** Dotted path, empty for the whole. */
  readonly path: string;
  readonly description: string;
  /** Keys below, by name; undefined for a value. */
  readonly children: ReadonlyMap<string, ConfigKey> | undefined;
}

// The part of JSON Schema that `z.toJSONSchema` makes of our schemas.
interface JsonSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

function readKey(path: string, schema: JsonSchema): ConfigKey {
  const children =
    schema.properties &&
    new Map(
      Object.entries(schema.properties).map(([name, child]) => [
        name,
        readKey(path === '' ? name : `${path}.${name}`, child),
      ]),
    );
  return { path, description: schema.description ?? '', children };
}

/** The tree of all keys, read from the schema. */
export function configKeys(): ConfigKey {
  // A zod object is always a JSON Schema with `properties`; both types are looser than that.
  return readKey('', z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema);
}

/** The key at a path, or undefined. */
export function findKey(root: ConfigKey, parts: readonly string[]): ConfigKey | undefined {
  let key: ConfigKey | undefined = root;
  for (const part of parts) key = key?.children?.get(part);
  return key;
}

/** Every key below `key`, sections before what they hold. */
export function* walkKeys(key: ConfigKey): Generator<ConfigKey> {
  for (const child of key.children?.values() ?? []) {
    yield child;
    yield* walkKeys(child);
  }
}
