// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

/** A value that an attribute can be compared with, or be given. */
export const attributeValueSchema = z.union([z.string(), z.boolean(), z.number()]);
export type AttributeValueConfig = z.output<typeof attributeValueSchema>;

/** Names of span kinds, by their numbers; the collector writes them as the protocol does. */
export const SPAN_KIND_NAMES = {
  SPAN_KIND_UNSPECIFIED: 0,
  SPAN_KIND_INTERNAL: 1,
  SPAN_KIND_SERVER: 2,
  SPAN_KIND_CLIENT: 3,
  SPAN_KIND_PRODUCER: 4,
  SPAN_KIND_CONSUMER: 5,
} as const;

/** Names of status codes, by their numbers. */
export const STATUS_CODE_NAMES = {
  STATUS_CODE_UNSET: 0,
  STATUS_CODE_OK: 1,
  STATUS_CODE_ERROR: 2,
} as const;

function namesOf<Name extends string>(table: Readonly<Record<Name, number>>) {
  // Object.keys gives the keys of these constant tables.
  return z.array(z.enum(Object.keys(table) as [Name, ...Name[]]));
}

const attributesSchema = z.array(
  z.strictObject({
    key: z.string().min(1).describe('Key of the attribute.'),
    value: attributeValueSchema
      .optional()
      .describe('What it must be, or as a text with match_type regexp: match; missing: anything.'),
  }),
);

const texts = z.array(z.string()).min(1);

/** `include` and `exclude` of processors, in the form of the OpenTelemetry collector. */
export const spanMatchSchema = z
  .strictObject({
    match_type: z
      .enum(['strict', 'regexp'])
      .describe(
        'How texts are compared: strict, or regexp: a part of the text matches, in the syntax of RE2.',
      ),
    services: texts.optional().describe('The service is one of these.'),
    span_names: texts.optional().describe('The name of the span is one of these.'),
    span_kinds: namesOf(SPAN_KIND_NAMES)
      .min(1)
      .optional()
      .describe('The kind is one of these, such as SPAN_KIND_SERVER.'),
    status_codes: namesOf(STATUS_CODE_NAMES)
      .min(1)
      .optional()
      .describe('The status is one of these, such as STATUS_CODE_ERROR.'),
    attributes: attributesSchema.min(1).optional().describe('The span has all of these.'),
    resources: attributesSchema.min(1).optional().describe('Its resource has all of these.'),
  })
  .refine((match) => Object.keys(match).length > 1, {
    error: 'must name services, span_names, span_kinds, status_codes, attributes or resources',
  });

/** Which spans a processor is about: those that meet all that is said. */
export type SpanMatchConfig = z.output<typeof spanMatchSchema>;
