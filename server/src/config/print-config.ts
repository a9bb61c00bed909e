// SPDX-License-Identifier: Apache-2.0
import { Document, isMap, isScalar, isSeq, type YAMLMap } from 'yaml';
import type { SpoorConfig } from './config.ts';
import { childKey, configKeys, type ConfigKey } from './config-keys.ts';

/** What is printed in place of a password or token. */
const REDACTED = '[redacted]';

/** The configuration as YAML that can be read back, but for passwords and tokens, with a comment for every key. */
export function formatConfig(config: SpoorConfig): string {
  const document = new Document(config);
  if (isMap(document.contents)) commentKeys(document.contents, configKeys());
  return document.toString({ lineWidth: 0 });
}

function commentKeys(map: YAMLMap, key: ConfigKey): void {
  for (const pair of map.items) {
    if (!isScalar(pair.key)) continue;
    const child = childKey(key, String(pair.key.value));
    if (child === undefined) continue;
    if (child.description !== '') pair.key.commentBefore = ` ${child.description}`;
    if (child.isSecret) redact(pair.value);
    if (isMap(pair.value)) commentKeys(pair.value, child);
  }
}

function redact(value: unknown): void {
  if (isSeq(value)) for (const item of value.items) redact(item);
  else if (isMap(value)) for (const { value: item } of value.items) redact(item);
  else if (isScalar(value) && value.value !== '') value.value = REDACTED;
}
