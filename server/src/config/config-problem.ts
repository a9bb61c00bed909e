// SPDX-License-Identifier: Apache-2.0
import { quote } from '@spoor/core/model/errors.ts';
import type { z } from 'zod';
import { findKey, isSecretAt, walkKeys, type ConfigKey } from './config-keys.ts';
import { nearestName, pathContaining } from './suggest.ts';

/** Something wrong with the configuration. */
export interface ConfigProblem {
  /** Path of the key; its parts joined by dots begin the message. */
  readonly path: readonly string[];
  readonly message: string;
}

/** What is said about a key that does not exist, with the name that was probably meant. */
export function unknownKey(root: ConfigKey, path: readonly string[]): ConfigProblem {
  let depth = 0;
  while (depth < path.length - 1 && findKey(root, path.slice(0, depth + 1)) !== undefined) depth++;
  const parent = findKey(root, path.slice(0, depth))!;
  const wrong = path[depth] ?? '';
  const parentPath = path.slice(0, depth).join('.');
  if (parent.children === undefined) {
    return { path, message: `unknown key: ${parentPath} is a value and has no keys below it` };
  }
  if (parentPath === 'service.pipelines' && /^(?:metrics|logs|profiles)(?:\/|$)/.test(wrong)) {
    return { path, message: 'Spoor takes traces only; leave this pipeline out' };
  }
  // Of `zipkn/backup` the type is what can be wrong.
  const name = parent.isNamed ? (/\/.*/.exec(wrong)?.[0] ?? '') : '';
  const near = nearestName(wrong.slice(0, wrong.length - name.length), parent.children.keys());
  const sibling = near && near + name;
  const elsewhere = pathContaining(
    path,
    [...walkKeys(root)].map((key) => key.path),
  );
  const meant = sibling === undefined ? elsewhere : [...path.slice(0, depth), sibling].join('.');
  const known = [...parent.children.keys()].join(', ') || 'nothing';
  return {
    path,
    message:
      meant === undefined
        ? `unknown key; ${depth === 0 ? 'at the top there are' : `${parentPath} has`}: ${known}`
        : `unknown key; did you mean ${meant}?`,
  };
}

/**
 * What a value is, for messages.
 * @param isSecret only what kind of value it is is told
 */
export function describeValue(value: unknown, isSecret = false): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a section with keys';
  if (isSecret) return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
  // Of an address, user and password are nobody's business.
  if (typeof value === 'string') return quote(value.replace(/^(\w+:\/\/)?.*@/s, '$1[redacted]@'));
  return JSON.stringify(value);
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a section with keys of its own',
  record: 'a section with keys of its own',
};

function valueAt(tree: unknown, path: readonly PropertyKey[]): unknown {
  let value = tree;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    // The guard above makes any property readable; a missing one is undefined.
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

/** What zod found, in words for someone who has never seen the schema. */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  tree: unknown,
  root: ConfigKey,
): ConfigProblem[] {
  return issues.flatMap((issue): ConfigProblem[] => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => unknownKey(root, [...path, key]));
    }
    if (issue.code === 'invalid_key') {
      // Its value has nothing wrong with it.
      const why = issue.issues[0]?.message ?? '';
      const message = why.startsWith('must be') ? why : 'must be a name that may stand here';
      return [
        {
          path: path.slice(0, -1),
          message: `a name in it ${message}, not ${quote(path.at(-1) ?? '')}`,
        },
      ];
    }
    const expected = describeExpected(issue);
    if (issue.code === 'custom' && !expected.startsWith('must be')) {
      return [{ path, message: expected }];
    }
    const isSecret = isSecretAt(root, path);
    if (isSecret && issue.code !== 'invalid_type') return [{ path, message: expected }];
    const got = describeValue(valueAt(tree, issue.path), isSecret);
    return [{ path, message: `${expected}, not ${got}` }];
  });
}

function describeExpected(issue: z.core.$ZodIssue): string {
  // Schemas that know better say it themselves.
  if (issue.message.startsWith('must be')) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${EXPECTED[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be one of ${issue.values.join(', ')}`;
    case 'too_small':
      return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unitOf(issue)}`;
    case 'too_big':
      return `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unitOf(issue)}`;
    default:
      return issue.message;
  }
}

function unitOf(issue: { readonly origin: string }): string {
  if (issue.origin === 'string') return ' characters long';
  return issue.origin === 'array' ? ' entries long' : '';
}
