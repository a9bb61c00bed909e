// SPDX-License-Identifier: Apache-2.0
import { quote } from '@spoor/core/model/errors.ts';
import type { ConfigProblem } from '../config-problem.ts';
import { isSection, keysIn, valueIn, withValue } from '../config-tree.ts';
import type { Convert } from './v1-values.ts';

/** What becomes of a key of the collector or of Jaeger 2 that Spoor calls otherwise, or does not have. */
export type V2Key =
  | { readonly to: string; readonly convert?: Convert }
  /** It is read by other means. */
  | { readonly isKnown: true }
  /** Why it has no effect. */
  | { readonly ignored: string }
  /** What to use instead, unless the value is the usual one. */
  | { readonly refused: string; readonly usual?: unknown };

/** Keys of a section by dotted path in it. */
export type V2Keys = Readonly<Record<string, V2Key>>;

/** A configuration that is being rewritten from the shape of Jaeger 2 to ours. */
export class V2Rewriter {
  tree: unknown;
  readonly problems: ConfigProblem[] = [];
  readonly warnings: string[] = [];
  /** Where keys stand in the file, by our paths. */
  readonly #origins: { readonly ours: readonly string[]; readonly theirs: readonly string[] }[] =
    [];

  constructor(tree: unknown) {
    this.tree = tree;
  }

  /** Sets a key of ours to what the file says elsewhere. */
  set(ours: readonly string[], value: unknown, theirs: readonly string[]): void {
    this.tree = withValue(this.tree, ours, value);
    this.#origins.push({ ours, theirs });
  }

  refuse(path: readonly string[], message: string): void {
    this.problems.push({ path, message });
  }

  ignore(path: readonly string[], why: string): void {
    this.warnings.push(`${path.join('.')} has no effect: ${why}`);
  }

  /** The path in the file of a path of ours. */
  originOf(path: readonly string[]): readonly string[] {
    const from = this.#origins.findLast(({ ours }) => ours.every((part, i) => part === path[i]));
    return from === undefined ? path : [...from.theirs, ...path.slice(from.ours.length)];
  }

  /**
   * Rewrites the keys of a section to ours from the top, by the table; others are refused.
   * @param at path of the section in the file
   */
  rewriteAll(section: unknown, keys: V2Keys, at: readonly string[]): void {
    const { found, rest } = split(section, keys);
    for (const [key, value] of found)
      this.#apply(keys[key]!, value, [...at, ...key.split('.')], []);
    const known = [...new Set(Object.keys(keys).map((key) => key.split('.')[0]))].join(', ');
    for (const name of keysIn(rest)) {
      this.refuse([...at, name], `Spoor has no setting ${quote(name)} here; it takes ${known}`);
    }
  }

  /** Rewrites the keys of a section that are in the table, to ours below the same section; the others stay. */
  rewriteInPlace(at: readonly string[], keys: V2Keys): void {
    const { found, rest } = split(valueIn(this.tree, ...at), keys);
    if (found.length === 0) return;
    this.tree = withValue(this.tree, at, rest);
    for (const [key, value] of found)
      this.#apply(keys[key]!, value, [...at, ...key.split('.')], at);
  }

  #apply(key: V2Key, value: unknown, path: readonly string[], to: readonly string[]): void {
    // `grpc:` with nothing after it.
    if (value === null || 'isKnown' in key) return;
    if ('ignored' in key) this.ignore(path, key.ignored);
    else if ('refused' in key) {
      if (value !== key.usual) this.refuse(path, key.refused);
    } else {
      try {
        const text = typeof value === 'string' ? value : JSON.stringify(value);
        const own = key.convert === undefined ? value : key.convert(text);
        this.set([...to, ...key.to.split('.')], own, path);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        this.refuse(path, error.message);
      }
    }
  }
}

/** The keys of a section that are in the table, and the section without them. */
function split(
  section: unknown,
  keys: V2Keys,
): { readonly found: readonly (readonly [key: string, value: unknown])[]; readonly rest: unknown } {
  const found: (readonly [string, unknown])[] = [];
  const restOf = (value: unknown, key: string): unknown => {
    if (Object.hasOwn(keys, key)) {
      found.push([key, value]);
      return undefined;
    }
    const isAbove = Object.keys(keys).some((known) => key === '' || known.startsWith(`${key}.`));
    // `http:` with nothing after it.
    if (value === null && isAbove) return undefined;
    if (!isSection(value) || !isAbove) return value;
    const rest = Object.entries(value)
      .map(([name, child]) => [name, restOf(child, key === '' ? name : `${key}.${name}`)] as const)
      .filter(([, child]) => child !== undefined);
    return key !== '' && rest.length === 0 ? undefined : Object.fromEntries(rest);
  };
  return { rest: restOf(section, ''), found };
}
