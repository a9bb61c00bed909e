// SPDX-License-Identifier: Apache-2.0
import { messageOf, quote, SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, parseTenant, type Tenant } from '@spoor/core/model/ids.ts';
import type { BearerTokens, TokenGrant } from './bearer-tokens.ts';

/** How requests name their tenant. */
export interface TenancySettings {
  /** Header of HTTP requests and metadata key of gRPC calls; case does not matter. */
  readonly header: string;
  /** The tenants there are; empty: whoever names itself. */
  readonly tenants: readonly string[];
}

/**
 * Tells whose data a request is about, and lets it in only with a token where there are tokens. With tenants off, everything
 * is of one tenant and no header is looked at; on, a request that does not name exactly one is refused, as in Jaeger.
 * @see https://www.jaegertracing.io/docs/latest/security/
 */
export class Tenancy {
  readonly #header: string | undefined;
  readonly #known: ReadonlySet<string>;
  readonly #tokens: BearerTokens | undefined;

  /**
   * @param settings undefined: tenancy is off
   * @param tokens undefined: no token is needed
   */
  constructor(settings: TenancySettings | undefined, tokens?: BearerTokens) {
    this.#tokens = tokens;
    this.#header = settings?.header.toLowerCase();
    this.#known = new Set(settings?.tenants);
  }

  /** Name of the header in lower case, or undefined when tenancy is off. */
  get header(): string | undefined {
    return this.#header;
  }

  /** Values of `WWW-Authenticate` for those who are not let in; undefined when no token is needed. */
  get challenges(): readonly string[] | undefined {
    return this.#tokens?.challenges;
  }

  /**
   * Checks the token of a request, where one is needed.
   * @param read as {@link tenantOf}
   * @throws {SpoorError} unauthenticated
   */
  authenticate(read: (header: string) => unknown, remoteAddress?: string): TokenGrant | undefined {
    return this.#tokens?.grantOf(read('authorization'), remoteAddress);
  }

  /**
   * The tenant of a request that may be let in. A token that is for one tenant names it as well.
   * @param read value of a header, given its name in lower case; several values are one text with commas
   * @param remoteAddress of the sender, for the log
   * @throws {SpoorError} unauthenticated
   */
  tenantOf(read: (header: string) => unknown, remoteAddress?: string): Tenant {
    const grant = this.authenticate(read, remoteAddress);
    const header = this.#header;
    const tenant = header === undefined ? DEFAULT_TENANT : this.#read(header, read, grant);
    if (grant !== undefined && grant.tenants.size > 0 && !grant.tenants.has(tenant)) {
      throw this.#tokens?.refuseTenant(remoteAddress);
    }
    return tenant;
  }

  #read(header: string, read: (header: string) => unknown, grant: TokenGrant | undefined): Tenant {
    const [own, ...others] = grant?.tenants ?? [];
    const name = read(header) ?? (others.length === 0 ? own : undefined);
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
      const why = messageOf(error);
      throw new SpoorError('unauthenticated', `header ${quote(header)}: ${why}`, { cause: error });
    }
  }
}
