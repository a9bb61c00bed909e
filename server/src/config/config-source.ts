// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { messageOf, quote, SpoorError } from '@spoor/core/model/errors.ts';
import type { Document } from 'yaml';
import { expandText, parseScalar, type Environment } from './env-expansion.ts';
import { loadYaml } from './yaml-library.ts';

/** Longest configuration file that is read; ours has some dozens of lines. */
const MAX_FILE_BYTES = 1024 * 1024;

/** One place that keys come from. */
export interface ConfigSource {
  /** Its keys and values as a tree of plain objects. */
  readonly tree: unknown;
  /** Where a key, or with an empty path the whole, stands in it, as `spoor.yaml:12` or `--set`, or undefined when it has none such. */
  locate(path: readonly string[]): string | undefined;
}

/**
 * Copies a tree, with references to the environment replaced in every text.
 * @param locate says where a key is
 */
function expandTree(
  value: unknown,
  env: Environment,
  path: readonly string[],
  locate: ConfigSource['locate'] = () => undefined,
): unknown {
  const expandChild = (child: unknown, key: string): unknown =>
    expandTree(child, env, [...path, key], locate);
  if (typeof value === 'string') {
    try {
      return expandText(value, env);
    } catch (error) {
      if (!(error instanceof SpoorError)) throw error;
      const place = locate(path);
      const where = place === undefined ? '' : ` (${place})`;
      const message = `${path.join('.')}: ${error.message}${where}`;
      throw new SpoorError('config', message, { cause: error });
    }
  }
  if (Array.isArray(value)) return value.map((entry, i) => expandChild(entry, String(i)));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, expandChild(child, key)]),
  );
}

/**
 * Reads a YAML file.
 * @throws {SpoorError} config: it cannot be read, or is no YAML
 */
export function readConfigFile(file: string, env: Environment): ConfigSource {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    throw new SpoorError('config', `--config ${file}: ${why}`, { cause: error });
  }
  if (text.length > MAX_FILE_BYTES) {
    throw new SpoorError(
      'config',
      `--config ${file}: ${text.length} characters are more than the ${MAX_FILE_BYTES} that a configuration may have`,
    );
  }
  return parseConfigText(text, file, env);
}

/**
 * Reads YAML text; `name` is what messages call it.
 * @throws {SpoorError} config
 */
function parseConfigText(text: string, name: string, env: Environment): ConfigSource {
  const { LineCounter, isMap, isNode, isScalar, isSeq, parseDocument } = loadYaml();
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken !== undefined) {
    const what = broken.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, '');
    throw new SpoorError('config', `${name}:${lines.linePos(broken.pos[0]).line}: ${what}`, {
      cause: broken,
    });
  }
  const lineOf = (node: unknown): string | undefined =>
    isNode(node) && node.range ? `${name}:${lines.linePos(node.range[0]).line}` : undefined;
  const locate = (path: readonly string[]): string | undefined => {
    for (let depth = path.length; depth > 0; depth--) {
      const parent: unknown = document.getIn(path.slice(0, depth - 1), true);
      const part = path[depth - 1];
      let node: unknown;
      if (isSeq(parent)) node = parent.items[Number(part)];
      else if (isMap(parent)) {
        node = parent.items.find((pair) => isScalar(pair.key) && pair.key.value === part)?.key;
      }
      const line = lineOf(node);
      if (line !== undefined) return line;
    }
    // Of a key that is not there nothing can be told, but of the whole.
    return path.length === 0 ? lineOf(document.contents) : undefined;
  };
  return { tree: expandTree(readTree(document, name), env, [], locate) ?? {}, locate };
}

function readTree(document: Document, name: string): unknown {
  try {
    // Aliases are limited by the library: 100 is its default against exponential growth.
    return document.toJS() as unknown;
  } catch (error) {
    const why = messageOf(error);
    throw new SpoorError('config', `${name}: ${why}`, { cause: error });
  }
}

/** A value given on the command line, in the environment, or by another short way. */
export interface ConfigOverride {
  readonly path: readonly string[];
  readonly value: unknown;
  /** What messages call it, such as `--set` or `SPOOR_DATA`. */
  readonly name: string;
  /** The entries of `value` join the list that is there, unless they are in it. */
  readonly isAdded?: boolean;
}

/**
 * Reads `path.to.key=value` of `--set`.
 * @throws {SpoorError} config
 */
export function parseSet(text: string, env: Environment): ConfigOverride {
  const equals = text.indexOf('=');
  if (equals <= 0) {
    throw new SpoorError(
      'config',
      `--set ${quote(text)} is not of the form path.to.key=value, such as --set telemetry.log_level=debug`,
    );
  }
  const path = text.slice(0, equals).split('.');
  const value = text.slice(equals + 1);
  const expanded = expandTree(value, env, [`--set ${path.join('.')}`]);
  return { path, value: expanded === value ? parseScalar(value) : expanded, name: '--set' };
}
