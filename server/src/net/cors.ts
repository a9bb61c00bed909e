// SPDX-License-Identifier: Apache-2.0
import { SpoorError, quote } from '@spoor/core/model/errors.ts';

/** Which web pages of other origins may send requests. */
export interface CorsSettings {
  /** `https://shop.example`, `https://*.example` with one `*`, or `*` for all; empty: none. */
  readonly allowedOrigins: readonly string[];
  /** Request headers that pages may set beside Content-Type and Content-Encoding; `*` for all. */
  readonly allowedHeaders: readonly string[];
  /** How long a browser may remember the answer to a preflight, in seconds. */
  readonly maxAgeSeconds: number;
}

/** No page of another origin may send anything. */
export const CORS_OFF: CorsSettings = {
  allowedOrigins: [],
  allowedHeaders: [],
  maxAgeSeconds: 7200,
};

/**
 * Answers the origins and preflights of browsers.
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export class Cors {
  readonly enabled: boolean;
  readonly #any: boolean;
  readonly #exact: ReadonlySet<string>;
  readonly #wildcards: readonly { prefix: string; suffix: string }[];
  readonly #allowedHeaders: string;
  readonly #anyHeader: boolean;
  readonly #maxAge: string;

  /** @throws {SpoorError} config: an origin has more than one `*` */
  constructor(settings: CorsSettings) {
    const origins = settings.allowedOrigins.map((origin) => origin.toLowerCase());
    this.enabled = origins.length > 0;
    this.#any = origins.includes('*');
    this.#exact = new Set(origins.filter((origin) => !origin.includes('*')));
    this.#wildcards = origins
      .filter((origin) => origin !== '*' && origin.includes('*'))
      .map((origin) => {
        const [prefix, suffix, more] = origin.split('*');
        if (prefix === undefined || suffix === undefined || more !== undefined) {
          throw new SpoorError(
            'config',
            `cors.allowed_origins: ${quote(origin)} has more than one *`,
          );
        }
        return { prefix, suffix };
      });
    this.#anyHeader = settings.allowedHeaders.includes('*');
    const named = settings.allowedHeaders.filter((header) => header !== '*');
    this.#allowedHeaders = ['content-type', 'content-encoding', ...named].join(', ');
    this.#maxAge = String(settings.maxAgeSeconds);
  }

  /** Response headers for a request from `origin`, as name and value in turn; empty when it may not. */
  responseHeaders(origin: string | undefined): string[] {
    if (!this.enabled) return [];
    if (this.#any) return origin === undefined ? [] : ['access-control-allow-origin', '*'];
    // The answer depends on the origin even where there is none: a cache must know.
    if (origin === undefined || !this.allows(origin)) return ['vary', 'origin'];
    return ['access-control-allow-origin', origin, 'vary', 'origin'];
  }

  /**
   * Response headers for a preflight, as name and value in turn.
   * @param requestedHeaders value of Access-Control-Request-Headers
   */
  preflightHeaders(origin: string | undefined, requestedHeaders: string | undefined): string[] {
    const headers = this.responseHeaders(origin);
    if (headers[0] !== 'access-control-allow-origin') return headers;
    const allowed = this.#anyHeader ? (requestedHeaders ?? '') : '';
    headers.push(
      'access-control-allow-methods',
      'POST',
      'access-control-allow-headers',
      allowed === '' ? this.#allowedHeaders : allowed,
      'access-control-max-age',
      this.#maxAge,
    );
    return headers;
  }

  /** Whether pages of an origin may send. */
  allows(given: string): boolean {
    const origin = given.toLowerCase();
    if (this.#any || this.#exact.has(origin)) return true;
    return this.#wildcards.some(
      ({ prefix, suffix }) =>
        origin.length > prefix.length + suffix.length &&
        origin.startsWith(prefix) &&
        origin.endsWith(suffix) &&
        // What the * stands for is part of a host name or a port, so it cannot end the host early.
        /^[a-z0-9.:-]+$/.test(origin.slice(prefix.length, origin.length - suffix.length)),
    );
  }
}
