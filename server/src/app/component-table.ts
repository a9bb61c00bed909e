// SPDX-License-Identifier: Apache-2.0
import type { z } from 'zod';
import {
  componentType,
  type ComponentSchemas,
  type NamedComponents,
} from '#config/named-components.ts';

/**
 * What makes the components of one kind, by type.
 * @typeParam S the schemas of their settings; each has its line here
 * @typeParam Context what they are made with
 */
export type ComponentTable<S extends ComponentSchemas, Context, Made> = {
  readonly [T in keyof S]: (id: string, settings: z.output<S[T]>, context: Context) => Made;
};

/** Makes the component with this id of a validated configuration. */
export function createComponent<S extends ComponentSchemas, Context, Made>(
  table: ComponentTable<S, Context, Made>,
  configured: NamedComponents<S>,
  id: string,
  context: Context,
): Made {
  // A configuration that was validated has settings of the right type at every id; types cannot say that of a text.
  const create = table[componentType(id) as keyof S] as (
    id: string,
    settings: unknown,
    context: Context,
  ) => Made;
  return create(id, configured[id as keyof typeof configured], context);
}
