// SPDX-License-Identifier: Apache-2.0

/**
 * What Jaeger calls the service of spans whose resource names none. Its readers can look for spans of a service only, so it
 * is listed and searched like any other.
 * @see https://github.com/jaegertracing/jaeger/blob/v1.76.0/internal/jptrace/sanitizer/emptyservicename.go
 */
export const UNNAMED_SERVICE = 'missing-service-name';

/** What a service is called in answers. */
export function shownService(stored: string): string {
  return stored === '' ? UNNAMED_SERVICE : stored;
}

/** What the store has for a service as answers call it: spans that came from Jaeger may really be called so. */
export function storedServices(service: string): readonly string[] {
  return service === UNNAMED_SERVICE ? ['', UNNAMED_SERVICE] : [service];
}
