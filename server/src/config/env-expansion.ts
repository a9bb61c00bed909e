// SPDX-License-Identifier: Apache-2.0
import { SpoorError, quote } from '@spoor/core/model/errors.ts';
import { loadYaml } from './yaml-library.ts';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$\$|\$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{([^}]*)\}/g;

/**
 * Replaces `${env:NAME}` and `${env:NAME:-default}`; `$$` is a dollar sign. A text that is
 * one reference and nothing else takes the type its value has in YAML (`8` is a number).
 * @throws {SpoorError} config: a variable is not set and has no default, or the reference is of another form
 * @see https://opentelemetry.io/docs/collector/configuration/#environment-variables
 */
export function expandText(text: string, env: Environment): unknown {
  if (!text.includes('$')) return text;
  let references = 0;
  const expanded = text.replace(
    REFERENCE,
    (whole, name: string | undefined, fallback: string | undefined) => {
      if (whole === '$$') return '$';
      references++;
      if (name === undefined) {
        throw new SpoorError(
          'config',
          `${quote(whole)} is not a reference that Spoor knows; write \${env:NAME} or \${env:NAME:-default}`,
        );
      }
      // As in a shell, an empty variable gives way to the default.
      const value = env[name] === '' ? (fallback ?? '') : (env[name] ?? fallback);
      if (value === undefined) {
        throw new SpoorError(
          'config',
          `environment variable ${name} is not set; give a default with \${env:${name}:-default}`,
        );
      }
      return value;
    },
  );
  const whole = references === 1 && /^\$\{[^}]*\}$/.test(text);
  return whole ? parseScalar(expanded) : expanded;
}

/** Numbers, words, paths and addresses, which YAML reads as they stand; with a letter or a second dot it is no number. */
const PLAIN_INTEGER = /^(?:0|[1-9]\d{0,14})$/;
const PLAIN_TEXT = /^(?:[A-Za-z_/][\w./-]*|\d+\.\d+\.\d+[\d.]*)(?::\d+)?$/;
const YAML_WORD = /^(?:true|false|null)$/i;

/** Reads a text as YAML would; what is no YAML (`[::1]:4317`) is the text itself. */
export function parseScalar(text: string): unknown {
  // Most are so plain that the library is not loaded for them: see there.
  if (PLAIN_INTEGER.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  if (PLAIN_TEXT.test(text) && !YAML_WORD.test(text)) return text;
  const { parse } = loadYaml();
  try {
    return parse(text) as unknown;
  } catch {
    return text;
  }
}
