// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { attributeValueSchema, spanMatchSchema } from './span-match-config.ts';

/** Longest pattern, in characters. */
const MAX_PATTERN_LENGTH = 900;

/** What is put in place of what a pattern matches. */
const MASK = '****';

const key = z.string().min(1);
const pattern = z.string().min(1).max(MAX_PATTERN_LENGTH);

function settingAction(action: 'insert' | 'update' | 'upsert', what: string) {
  return z
    .strictObject({
      action: z.literal(action).describe(what),
      key: key.describe('Key of the attribute.'),
      value: attributeValueSchema.optional().describe('What it is set to.'),
      from_attribute: key
        .optional()
        .describe('The attribute whose value it gets; nothing happens where there is none.'),
    })
    .refine(({ value, from_attribute: from }) => (value === undefined) !== (from === undefined), {
      error: 'must have either value or from_attribute',
    });
}

function keyAction(action: 'delete' | 'hash', what: string) {
  return z
    .strictObject({
      action: z.literal(action).describe(what),
      key: key.optional().describe('Key of the attribute.'),
      pattern: pattern.optional().describe('All attributes with a key of which a part matches.'),
    })
    .refine((given) => given.key !== undefined || given.pattern !== undefined, {
      error: 'must have key or pattern',
    });
}

/** One thing that is done to attributes. */
const actionSchema = z.discriminatedUnion('action', [
  settingAction('insert', 'Adds an attribute where it is missing.'),
  settingAction('update', 'Sets an attribute where it is there.'),
  settingAction('upsert', 'Sets an attribute, there or not.'),
  keyAction('delete', 'Removes attributes.'),
  keyAction('hash', 'Puts the SHA-256 of a value, as hexadecimal digits, in its place.'),
  z.strictObject({
    action: z
      .literal('redact')
      .describe('Hides what a pattern matches in texts, in lists as well.'),
    key: key.optional().describe('Key of the attribute; missing: all attributes.'),
    pattern: pattern.describe('What is hidden, in the syntax of RE2.'),
    value: z.string().max(100).default(MASK).describe('What is put in its place.'),
  }),
]);
export type AttributeActionConfig = z.output<typeof actionSchema>;

const actions = z.array(actionSchema).min(1);

/** Where attributes stand that are changed. */
export const ATTRIBUTE_PLACES = ['span', 'event', 'link', 'resource'] as const;

/** `processors.attributes` */
export const attributesProcessorSchema = z
  .strictObject({
    actions: actions.describe(
      'What is done, one after the other; docs/reference/processors.md lists the actions.',
    ),
    apply_to: z
      .array(z.enum(ATTRIBUTE_PLACES))
      .min(1)
      .default(['span'])
      .describe('Whose attributes are changed: span, event, link, resource.'),
    include: spanMatchSchema.optional().describe('Only these spans are changed.'),
    exclude: spanMatchSchema.optional().describe('These are not changed, also when included.'),
  })
  .describe('Changes, removes, hashes and hides attributes.');
export type AttributesProcessorConfig = z.output<typeof attributesProcessorSchema>;

/** `processors.resource`: the same for resources, in the form of the collector. */
export const resourceProcessorSchema = z
  .strictObject({
    attributes: actions.describe(
      'What is done, one after the other; docs/reference/processors.md lists the actions.',
    ),
  })
  .describe('Changes, removes, hashes and hides attributes of resources.');
export type ResourceProcessorConfig = z.output<typeof resourceProcessorSchema>;
