// SPDX-License-Identifier: Apache-2.0
import { RegexFinder } from '@spoor/core/query/regex/regex-finder.ts';
import { encodeText } from '@spoor/core/model/utf8.ts';
import type { AttributeActionConfig } from '#config/attributes-processor-config.ts';
import { type AttributeSlot, newSlot, type ValueChange } from './attribute-slot.ts';
import { configured } from './configured.ts';
import { HASH } from './hash-change.ts';
import { Redaction } from './redaction.ts';

/** Something that is done to a list of attributes; it looks at keys and types, never at values. */
export interface AttributeAction {
  /** The list as it is afterwards; the same list when nothing changes. */
  apply(slots: readonly AttributeSlot[]): readonly AttributeSlot[];
  /** Whether there may be values afterwards that were not there before. */
  readonly makesValues: boolean;
  /** What a pattern hides in values, where that is what the action does. */
  readonly redaction?: Redaction;
}

/**
 * Makes an action ready.
 * @param path of the action in the configuration
 * @throws {SpoorError} config: a pattern is not understood
 */
export function createAction(path: string, config: AttributeActionConfig): AttributeAction {
  switch (config.action) {
    case 'insert':
    case 'update':
    case 'upsert': {
      const { key, value } = config;
      const own = value === undefined ? undefined : newSlot(key, value);
      return { apply: (slots) => set(slots, config, own), makesValues: own !== undefined };
    }
    case 'delete': {
      const isMeant = keyTest(path, config);
      return {
        apply: (slots) =>
          unlessNone(
            slots,
            slots.filter(({ key }) => !isMeant(key)),
          ),
        makesValues: false,
      };
    }
    case 'hash':
      return changing(keyTest(path, config), HASH);
    case 'redact': {
      const { key, pattern, value } = config;
      const redaction = configured(`${path}.pattern`, () => new Redaction(pattern, value));
      const isMeant = (other: string): boolean => key === undefined || key === other;
      return { ...changing(isMeant, redaction), redaction };
    }
  }
}

type SettingConfig = Extract<AttributeActionConfig, { action: 'insert' | 'update' | 'upsert' }>;

/** @param own the attribute with the value that is configured; undefined: it comes from another attribute */
function set(
  slots: readonly AttributeSlot[],
  config: SettingConfig,
  own: AttributeSlot | undefined,
): readonly AttributeSlot[] {
  const { action, key, from_attribute: from } = config;
  const place = slots.findIndex((slot) => slot.key === key);
  if (place < 0 ? action === 'update' : action === 'insert') return slots;
  const source = own ?? slots.find((other) => other.key === from);
  if (source === undefined) return slots;
  const slot = { ...source, key };
  if (place < 0) return [...slots, slot];
  // A key that came several times is there once afterwards.
  return slots.flatMap((other, i) => (i === place ? [slot] : other.key === key ? [] : [other]));
}

function changing(isMeant: (key: string) => boolean, change: ValueChange): AttributeAction {
  return {
    makesValues: true,
    apply(slots) {
      let hasChanged = false;
      const changed = slots.map((slot) => {
        const type = isMeant(slot.key) ? change.typeAfter(slot.type) : undefined;
        if (type === undefined) return slot;
        hasChanged = true;
        return { ...slot, type, changes: [...slot.changes, change] };
      });
      return hasChanged ? changed : slots;
    },
  };
}

/** Whether an action is about a key. */
function keyTest(
  path: string,
  { key, pattern }: { readonly key?: string | undefined; readonly pattern?: string | undefined },
): (key: string) => boolean {
  const finder =
    pattern === undefined
      ? undefined
      : configured(`${path}.pattern`, () => new RegexFinder(pattern));
  return (other) => {
    if (other === key) return true;
    if (finder === undefined) return false;
    const bytes = encodeText(other);
    return finder.isIn(bytes, 0, bytes.length);
  };
}

function unlessNone(
  slots: readonly AttributeSlot[],
  left: readonly AttributeSlot[],
): readonly AttributeSlot[] {
  return left.length === slots.length ? slots : left;
}
