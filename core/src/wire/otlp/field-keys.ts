// SPDX-License-Identifier: Apache-2.0
import { FIELD_KEYS } from '#model/attributes.ts';
import { encodeText } from '#model/utf8.ts';

/** The keys of {@link FIELD_KEYS} as the bytes that a batch builder takes. */
export const TRACE_STATE = encodeText(FIELD_KEYS.traceState);
export const STATUS_MESSAGE = encodeText(FIELD_KEYS.statusMessage);
export const DROPPED_ATTRIBUTES = encodeText(FIELD_KEYS.droppedAttributes);
export const DROPPED_EVENTS = encodeText(FIELD_KEYS.droppedEvents);
export const DROPPED_LINKS = encodeText(FIELD_KEYS.droppedLinks);
export const KIND = encodeText(FIELD_KEYS.kind);
export const STATUS_CODE = encodeText(FIELD_KEYS.statusCode);
export const ZERO_PARENT = encodeText(FIELD_KEYS.zeroParent);
export const NO_TRACE_ID = encodeText(FIELD_KEYS.noTraceId);
export const NO_SPAN_ID = encodeText(FIELD_KEYS.noSpanId);
