// SPDX-License-Identifier: Apache-2.0
import type { KeyValue } from '#api/jaeger-json.ts';

/** Attributes that share the first part of their key. */
export interface AttributeGroup {
  /** Such as `http`; empty for those that stand alone. */
  readonly namespace: string;
  readonly attributes: readonly KeyValue[];
}

/**
 * Groups attributes by namespace, keys in order. A namespace with one attribute is no group: it
 * joins the ones that stand alone, which come last.
 */
export function groupAttributes(attributes: readonly KeyValue[]): readonly AttributeGroup[] {
  const groups = new Map<string, KeyValue[]>();
  for (const attribute of attributes) {
    const dot = attribute.key.indexOf('.');
    const namespace = dot > 0 ? attribute.key.slice(0, dot) : '';
    const group = groups.get(namespace);
    if (group === undefined) groups.set(namespace, [attribute]);
    else group.push(attribute);
  }
  const alone = groups.get('') ?? [];
  groups.delete('');
  const named: AttributeGroup[] = [];
  for (const [namespace, members] of groups) {
    if (members.length === 1) alone.push(members[0]!);
    else named.push({ namespace, attributes: members.sort(byKey) });
  }
  named.sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
  if (alone.length > 0) named.push({ namespace: '', attributes: alone.sort(byKey) });
  return named;
}

function byKey(a: KeyValue, b: KeyValue): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}
