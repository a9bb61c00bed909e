// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel, ValueType } from '#model/attributes.ts';
import type { BatchBuilder } from '#model/batch-builder.ts';
import { encodeText } from '#model/utf8.ts';
import { SpecialTag } from './special-tags.ts';
import { SymbolWriter } from './symbol-writer.ts';
import { TagText } from './tag-text.ts';
import { TextMemo } from './text-memo.ts';

/** The scope of a span that came in another format: exporters of OpenTelemetry put it into four tags. */
export class ScopeTags {
  readonly #name = new TagText();
  readonly #version = new TagText();
  /** The older names of the two, which some exporters send beside them. */
  readonly #libraryName = new TagText();
  readonly #libraryVersion = new TagText();
  readonly #symbols = new SymbolWriter();
  readonly #memo = new TextMemo(([name, version]) => this.#symbols.scope(name!, version!));
  readonly #texts: TagText[] = [];

  /** Begins a span. */
  clear(): void {
    this.#name.clear();
    this.#version.clear();
    this.#libraryName.clear();
    this.#libraryVersion.clear();
  }

  /** Keeps the text of a tag. @returns false when it is none of the four, or came before: then it is an attribute */
  take(special: number, bytes: Uint8Array, start: number, end: number): boolean {
    const text = this.#text(special);
    if (text === undefined || text.isThere) return false;
    text.set(bytes, start, end);
    return true;
  }

  /** Gives the row its scope. What is not needed for it becomes an attribute. @throws {SpoorError} too_large */
  finish(builder: BatchBuilder, row: number): void {
    const [name, version] = [this.#name, this.#version];
    const [libraryName, libraryVersion] = [this.#libraryName, this.#libraryVersion];
    if (!name.isThere && !libraryName.isThere) {
      if (version.isThere) addText(builder, SCOPE_VERSION_KEY, version);
      if (libraryVersion.isThere) addText(builder, LIBRARY_VERSION_KEY, libraryVersion);
      builder.scope[row] = builder.scopes.intern(NO_SCOPE, 0, 0);
      return;
    }
    const scopeName = either(builder, name, libraryName, LIBRARY_NAME_KEY);
    const scopeVersion = either(builder, version, libraryVersion, LIBRARY_VERSION_KEY);
    const texts = this.#texts;
    texts[0] = scopeName;
    texts[1] = scopeVersion;
    this.#memo.write(texts, 2);
    builder.scope[row] = this.#symbols.intern(builder.scopes);
  }

  #text(special: number): TagText | undefined {
    switch (special) {
      case SpecialTag.scopeName:
        return this.#name;
      case SpecialTag.scopeVersion:
        return this.#version;
      case SpecialTag.libraryName:
        return this.#libraryName;
      case SpecialTag.libraryVersion:
        return this.#libraryVersion;
      default:
        return undefined;
    }
  }
}

/** Adds a text as an attribute of the span under way. */
export function addText(builder: BatchBuilder, key: Uint8Array, text: TagText): void {
  const { bytes, start, end } = text;
  const { string } = ValueType;
  builder.attribute(AttributeLevel.span, string, key, 0, key.length, bytes, start, end);
}

/** A text, or else the one of its older name, which is an attribute where both are there and differ. */
function either(
  builder: BatchBuilder,
  text: TagText,
  older: TagText,
  olderKey: Uint8Array,
): TagText {
  if (!text.isThere) return older;
  if (older.isThere && !older.equals(text)) addText(builder, olderKey, older);
  return text;
}

/** Symbol of a scope that was not sent. */
const NO_SCOPE: Uint8Array = new Uint8Array(0);
const SCOPE_VERSION_KEY = encodeText('otel.scope.version');
const LIBRARY_NAME_KEY = encodeText('otel.library.name');
const LIBRARY_VERSION_KEY = encodeText('otel.library.version');
