// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../../', import.meta.url);

/** A fenced block of a Markdown document. */
export interface CodeBlock {
  /** What follows the fence, such as `js`. */
  readonly language: string;
  /** The file that it is, where its first line is a comment with a file name. */
  readonly file: string | undefined;
  readonly text: string;
}

/** Text of a document of the repository. */
export function readDocument(path: string): string {
  return readFileSync(fileURLToPath(new URL(path, ROOT)), 'utf8');
}

/** The blocks of a document, in its order. */
export function codeBlocks(document: string): CodeBlock[] {
  return [...document.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({
    language,
    file: /^(?:\/\/|#) (\S+\.\w+)$/.exec(text.split('\n', 1)[0] ?? '')?.[1],
    text,
  }));
}
