// SPDX-License-Identifier: Apache-2.0

/** Longest text that is taken for a link, in characters; browsers cut URLs at about this length. */
const MAX_LENGTH = 2000;

/**
 * The address when a value from a trace is, as a whole, an http or https URL; undefined otherwise.
 * Nothing else may become a link: values come from strangers, and `javascript:` is a URL as well.
 */
export function webLink(text: string): string | undefined {
  if (text.length > MAX_LENGTH || !/^https?:\/\/[^\s]+$/i.test(text)) return undefined;
  try {
    const url = new URL(text);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : undefined;
  } catch {
    return undefined;
  }
}
