// SPDX-License-Identifier: Apache-2.0
import { Document, isMap, isScalar, isSeq, type YAMLMap } from 'yaml';
import type { SpoorConfig } from './config.ts';
import { childKey, configKeys, type ConfigKey } from './config-keys.ts';

/** What is printed in place of a password or token. */
const REDACTED = '[redacted]';

/**
 * The configuration as YAML that can be read back, but for passwords and tokens, with a comment for every key. Keys that are not set are
 * comments themselves; components that are not there are left out.
 */
export function formatConfig(config: SpoorConfig): string {
  const document = new Document(config);
  if (isMap(document.contents)) commentKeys(document.contents, configKeys());
  return document.toString({ lineWidth: 0 });
}

function commentKeys(map: YAMLMap, key: ConfigKey): void {
  const unset = unsetKeys(map, key);
  for (const pair of map.items) {
    if (!isScalar(pair.key)) continue;
    const name = String(pair.key.value);
    const child = childKey(key, name);
    if (child === undefined) continue;
    const comment = commentOf([...(unset.get(name) ?? []), ...describe(child)]);
    if (comment !== '') pair.key.commentBefore = comment;
    if (child.isSecret) redact(pair.value);
    if (isMap(pair.value)) commentKeys(pair.value, child);
  }
  const last = commentOf(unset.get(undefined) ?? []);
  if (last !== '') map.comment = last;
}

/** Lines for the keys of a section that are not set, by the key that they stand before, in the order of the schema; undefined: the end. */
function unsetKeys(map: YAMLMap, key: ConfigKey): ReadonlyMap<string | undefined, string[]> {
  const unset = new Map<string | undefined, string[]>();
  if (key.isNamed) return unset;
  let lines: string[] = [];
  for (const [name, child] of key.children ?? []) {
    if (!map.has(name)) {
      lines.push(...describe(child), ...unsetKey(name, child));
    } else if (lines.length > 0) {
      unset.set(name, lines);
      lines = [];
    }
  }
  return unset.set(undefined, lines);
}

/** A key without a value, and those below it with their meanings. */
function* unsetKey(name: string, key: ConfigKey): Generator<string> {
  yield `${name}:`;
  for (const [below, child] of key.children ?? []) {
    for (const line of describe(child)) yield `  # ${line}`;
    for (const line of unsetKey(below, child)) yield `  ${line}`;
  }
}

function describe({ description }: ConfigKey): string[] {
  return description === '' ? [] : [description];
}

function commentOf(lines: readonly string[]): string {
  return lines.map((line) => ` ${line}`).join('\n');
}

function redact(value: unknown): void {
  if (isSeq(value)) for (const item of value.items) redact(item);
  else if (isMap(value)) for (const { value: item } of value.items) redact(item);
  else if (isScalar(value) && value.value !== '') value.value = REDACTED;
}
