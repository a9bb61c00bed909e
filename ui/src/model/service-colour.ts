// SPDX-License-Identifier: Apache-2.0

/** Number of hues that services are spread over. */
export const SERVICE_HUES = 24;

/** The hues around the red of errors, which no service gets: from this angle … */
const FIRST_HUE = 55;
/** … through this many degrees of OKLCH hue, back to just below red. */
const HUE_RANGE = 300;

/**
 * OKLCH hue of a service, the same on every page and in every browser. Lightness and chroma come
 * from the theme, so all services weigh the same.
 * @returns degrees, 0 to 360.
 */
export function serviceHue(service: string): number {
  const step = hashText(service) % SERVICE_HUES;
  return Math.round(FIRST_HUE + (step * HUE_RANGE) / SERVICE_HUES) % 360;
}

/**
 * FNV-1a over UTF-16 units, with a final mix, as the low bits of plain FNV are poor for short names.
 * @see http://www.isthe.com/chongo/tech/comp/fnv/
 */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
