// SPDX-License-Identifier: Apache-2.0
import { childKey, type ConfigKey } from './config-keys.ts';

/** Keys and values of a part of a configuration that is not checked yet. */
export type Section = Readonly<Record<string, unknown>>;

/** Whether a value has keys of its own. */
export function isSection(tree: unknown): tree is Section {
  return typeof tree === 'object' && tree !== null && !Array.isArray(tree);
}

/** The value at a path, or undefined. */
export function valueIn(tree: unknown, ...path: readonly string[]): unknown {
  let value = tree;
  for (const name of path) {
    value = isSection(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}

/** Keys of the section at a path, none where there is no section. */
export function keysIn(tree: unknown, ...path: readonly string[]): string[] {
  const section = valueIn(tree, ...path);
  return isSection(section) ? Object.keys(section) : [];
}

/**
 * A tree with a value set.
 * @param path of a known key: no name in it is special to objects
 */
export function withValue(tree: unknown, path: readonly string[], value: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  const section: Record<string, unknown> = isSection(tree) ? { ...tree } : {};
  section[name] = withValue(section[name], rest, value);
  return section;
}

/** In YAML `grpc:` with nothing after it is null; the collector reads it as "with the defaults", and so do we. */
export function fillSections(tree: unknown, key: ConfigKey): unknown {
  if (key.children === undefined) return tree;
  if (tree === null || tree === undefined) return {};
  if (!isSection(tree)) return tree;
  return Object.fromEntries(
    Object.entries(tree).map(([name, child]) => {
      const below = childKey(key, name);
      return [name, below === undefined ? child : fillSections(child, below)];
    }),
  );
}

/**
 * What a file says in place of what a preset says, key by key. A file with pipelines says all of them, and all of the
 * components that it has; of the preset it may use others.
 */
export function layOver(preset: Section, file: unknown): unknown {
  if (!isSection(file) || !isSection(valueIn(file, 'service', 'pipelines'))) {
    return merge(preset, file);
  }
  const base: Record<string, unknown> = { ...preset };
  delete base['service'];
  for (const kind of ['receivers', 'processors', 'exporters']) {
    const own = keysIn(file, kind);
    const left = Object.entries(base[kind] ?? {}).filter(([id]) => !own.includes(id));
    base[kind] = Object.fromEntries(left);
  }
  return merge(base, file);
}

function merge(base: unknown, over: unknown): unknown {
  if (!isSection(base) || !isSection(over)) return over;
  const merged = Object.entries(over).map(([name, child]): [string, unknown] => [
    name,
    Object.hasOwn(base, name) ? merge(base[name], child) : child,
  ]);
  return Object.fromEntries([...Object.entries(base), ...merged]);
}
