// SPDX-License-Identifier: Apache-2.0
import { SpoorError, quote } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, parseTenant, type Tenant } from '@spoor/core/model/ids.ts';

/** How requests name their tenant. */
export interface TenancySettings {
  /** Header of HTTP requests and metadata key of gRPC calls; case does not matter. */
  readonly header: string;
  /** The tenants there are; empty: whoever names itself. */
  readonly tenants: readonly string[];
}

/**
 * Tells whose data a request is about. Off, everything is of one tenant and no header is looked at;
 * on, a request that does not name exactly one tenant is refused, as in Jaeger.
 * @see https://www.jaegertracing.io/docs/latest/security/
 */
export class Tenancy {
  readonly #header: string | undefined;
  readonly #known: ReadonlySet<string>;

  /** @param settings undefined: tenancy is off */
  constructor(settings: TenancySettings | undefined) {
    this.#header = settings?.header.toLowerCase();
    this.#known = new Set(settings?.tenants);
  }

  /** Name of the header in lower case, or undefined when tenancy is off. */
  get header(): string | undefined {
    return this.#header;
  }

  /**
   * The tenant of a request.
   * @param read value of a header, given its name in lower case; several values are one text with commas
   * @throws {SpoorError} unauthenticated
   */
  tenantOf(read: (header: string) => unknown): Tenant {
    const header = this.#header;
    if (header === undefined) return DEFAULT_TENANT;
    const name = read(header);
    if (typeof name !== 'string' || name === '') {
      throw new SpoorError(
        'unauthenticated',
        `header ${quote(header)}, which names the tenant, is missing`,
      );
    }
    if (this.#known.size > 0 && !this.#known.has(name)) {
      throw new SpoorError(
        'unauthenticated',
        `header ${quote(header)}: there is no tenant ${quote(name)}`,
      );
    }
    try {
      return parseTenant(name);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new SpoorError('unauthenticated', `header ${quote(header)}: ${why}`, { cause: error });
    }
  }
}
