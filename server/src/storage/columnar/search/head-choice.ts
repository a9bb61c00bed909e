// SPDX-License-Identifier: Apache-2.0
import { encodeText } from '@spoor/core/model/utf8.ts';
import { hashBytes } from '@spoor/core/model/symbol-interner.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import { isOnlyText } from '@spoor/core/query/value-test.ts';
import type { HeadBatch } from '../head/head-batch.ts';
import type { HeadPart } from '../head/head-part.ts';
import { equalText } from './group-choice.ts';

/** Whether a batch of a part may have a span that meets a predicate: it may say so wrongly, but never that it has none. */
type BatchChoice = (batch: HeadBatch) => boolean;

/** Looks at what a part names; undefined where it has no span that meets the predicate. */
export type HeadChoice = (part: HeadPart) => BatchChoice | undefined;

const everyBatch: BatchChoice = () => true;

/**
 * Finds the batches of the head in which a predicate can hold, without evaluating it: by the services and operations of a part, and by
 * the texts of attributes.
 */
export function compileHeadChoice(predicate: SpanPredicate): HeadChoice {
  const byText = choiceByTexts(predicate);
  const service = equalText(predicate, 'service');
  const name = equalText(predicate, 'name');
  // The names of a part are read when somebody asks for them.
  if (service === undefined) return byText;
  return (part) => {
    const { operations } = part.names;
    if (operations !== undefined) {
      const names = operations.operationsOf(service);
      if (names.size === 0 || (name !== undefined && !names.has(name))) return undefined;
    }
    return byText(part);
  };
}

function choiceByTexts(predicate: SpanPredicate): HeadChoice {
  switch (predicate.op) {
    case 'and': {
      const choices = predicate.args.map(compileHeadChoice);
      return (part) => {
        const all = choices.map((choose) => choose(part)).filter((one) => one !== everyBatch);
        if (all.includes(undefined)) return undefined;
        return all.length === 0 ? everyBatch : (batch) => all.every((one) => one!(batch));
      };
    }
    case 'or': {
      const choices = predicate.args.map(compileHeadChoice);
      return (part) => {
        const some = choices.map((choose) => choose(part)).filter((one) => one !== undefined);
        if (some.includes(everyBatch)) return everyBatch;
        return some.length === 0 ? undefined : (batch) => some.some((one) => one(batch));
      };
    }
    case 'eq': {
      const { field, value } = predicate;
      if (field.kind !== 'attribute' || (value.type !== 'text' && value.type !== 'string')) break;
      if (!isOnlyText(value)) break;
      const { scope } = field;
      // As its bytes say it: it is compared with others here.
      const key = field.key.toWellFormed();
      const text = encodeText(value.value);
      const hash = hashBytes(text, 0, text.length);
      const hasIt: BatchChoice = ({ values }) => values.hasArrays || values.mayHave(hash);
      const isShared = scope === 'resource' || scope === 'instrumentation' || scope === 'any';
      const isOwn = scope !== 'resource' && scope !== 'instrumentation';
      return (part) => {
        if (isShared && part.names.mayShareKey(key)) return everyBatch;
        return isOwn ? hasIt : undefined;
      };
    }
  }
  return () => everyBatch;
}
