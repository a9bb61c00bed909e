// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

/** Schemas by type of component. */
export type ComponentSchemas = Readonly<Record<string, z.ZodType>>;

/**
 * Configured components of one kind by id: the type, such as `otlp`, or `type/name` for further ones of it, such as
 * `otlp/backup`. One that is not configured is missing.
 */
export type NamedComponents<S extends ComponentSchemas> = {
  readonly [T in keyof S]?: z.output<S[T]>;
} & {
  readonly [T in keyof S as `${T & string}/${string}`]: z.output<S[T]>;
};

// Names have no dot, so that `--set` reaches every key.
const COMPONENT_ID = /^([a-z][a-z0-9_]*)(?:\/[A-Za-z0-9_-]{1,64})?$/;

/** The type in the id of a component, or undefined when the text is none. */
export function componentType(id: string): string | undefined {
  return COMPONENT_ID.exec(id)?.[1];
}

/**
 * Schema of a section whose keys are ids of components.
 * @param ids those that are there; one whose type has no schema is an unknown key
 */
export function namedComponentsSchema<S extends ComponentSchemas>(
  schemas: S,
  ids: readonly string[],
  description: string,
): z.ZodType<NamedComponents<S>> {
  const shape = new Map<string, z.ZodType>();
  for (const id of ids) {
    const type = componentType(id);
    const schema = type !== undefined && Object.hasOwn(schemas, type) ? schemas[type] : undefined;
    if (schema !== undefined) shape.set(id, schema);
  }
  const schema = z.strictObject(Object.fromEntries(shape)).prefault({}).describe(description);
  // Each id got the schema of its type, which is what the type says.
  return schema as unknown as z.ZodType<NamedComponents<S>>;
}
