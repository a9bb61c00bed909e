// SPDX-License-Identifier: Apache-2.0
import { createHmac, randomBytes } from 'node:crypto';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { LogThrottle, type Logger } from './logger.ts';
import { NO_TOKEN, parseTokenLine } from './token-line.ts';
import { WatchedFiles, type FileContents, type ReloadFigures } from './tls/watched-files.ts';

/** Which tokens there are. */
export interface BearerTokensSettings {
  /** Each a token, and after a space the tenants that it is for, with commas. */
  readonly tokens: readonly string[];
  /** Path of a file with one on each line; empty: there is none. */
  readonly tokensFile: string;
  /** Pause after which the file is read again, in ms; 0: never. */
  readonly reloadIntervalMs: number;
  /** Whether a token may come as the password of `Authorization: Basic` as well, which browsers ask people for. */
  readonly acceptBasic: boolean;
  /** The tenants there are, for a warning of tokens that are for others; empty: whoever names itself. */
  readonly knownTenants: readonly string[];
}

/** What a token opens. */
export interface TokenGrant {
  /** Tenants that it is for; empty: all. */
  readonly tenants: ReadonlySet<string>;
}

/** Why a request was not let in, a fixed set for the metrics. */
const TOKEN_REFUSALS = ['missing', 'wrong', 'wrong_tenant'] as const;

type TokenRefusal = (typeof TOKEN_REFUSALS)[number];

/** Figures of {@link BearerTokens} since their start. */
export interface BearerTokensFigures extends ReloadFigures {
  /** Requests that were not let in, by reason; every reason is there. */
  readonly refused: Readonly<Record<TokenRefusal, number>>;
  /** Tokens that there are now. */
  readonly tokens: number;
}

const LOG_INTERVAL_MS = 10_000;

/** Tenants that a warning names. */
const MAX_NAMED_TENANTS = 10;

/** More is a mistake, and makes a reload slow. */
const MAX_TOKENS = 10_000;

/**
 * The tokens that let requests in. They are kept as digests under a key that only this process has: looking one up takes a
 * time that says nothing of the tokens there are, and a dump of the memory does not hold those of a file.
 * @see https://www.rfc-editor.org/rfc/rfc6750.html#section-2.1
 */
export class BearerTokens {
  /** Path of the section in the configuration, such as `auth.ingest`. */
  readonly path: string;
  readonly #settings: BearerTokensSettings;
  readonly #logger: Logger;
  readonly #throttles = new Map(
    TOKEN_REFUSALS.map((reason) => [reason, new LogThrottle(LOG_INTERVAL_MS)]),
  );
  readonly #key = randomBytes(32);
  readonly #grants: WatchedFiles<ReadonlyMap<string, TokenGrant>>;
  // Every reason has its zero.
  readonly #refused = Object.fromEntries(TOKEN_REFUSALS.map((reason) => [reason, 0])) as Record<
    TokenRefusal,
    number
  >;

  constructor(path: string, settings: BearerTokensSettings, logger: Logger) {
    this.path = path;
    this.#settings = settings;
    this.#logger = logger;
    this.#grants = new WatchedFiles({
      name: path,
      what: 'list of tokens',
      paths: { tokens_file: settings.tokensFile },
      reloadIntervalMs: settings.tokensFile === '' ? 0 : settings.reloadIntervalMs,
      parse: (contents) => this.#parse(contents),
      logger,
    });
  }

  /** Values of `WWW-Authenticate` for those who are not let in. */
  get challenges(): readonly string[] {
    const bearer = 'Bearer realm="Spoor"';
    return this.#settings.acceptBasic ? ['Basic realm="Spoor", charset="UTF-8"', bearer] : [bearer];
  }

  get figures(): BearerTokensFigures {
    return {
      ...this.#grants.figures,
      refused: this.#refused,
      tokens: this.#grants.known?.size ?? 0,
    };
  }

  /**
   * Reads the file.
   * @throws {SpoorError} config: it cannot be read, or holds no token, or something else
   */
  start(): Promise<void> {
    return this.#grants.start();
  }

  /** Looks at the file now. Never rejects. */
  reload(): Promise<void> {
    return this.#grants.reload();
  }

  /** Looks at the file no more. Safe before start and more than once. */
  async shutdown(): Promise<void> {
    this.#grants.shutdown();
  }

  /**
   * What the token of a request opens.
   * @param authorization value of the header
   * @param remoteAddress of the sender, for the log
   * @throws {SpoorError} unauthenticated
   */
  grantOf(authorization: unknown, remoteAddress?: string): TokenGrant {
    if (typeof authorization !== 'string' || authorization === '') {
      const message = 'header "authorization" with a token is missing';
      throw this.#refuse('missing', message, remoteAddress);
    }
    const token = this.#tokenOf(authorization);
    const grant = token === undefined ? undefined : this.#grants.value.get(this.#digest(token));
    // Not a word of what was sent: it may be the token of another place.
    if (grant === undefined) {
      throw this.#refuse('wrong', 'the token is not known here', remoteAddress);
    }
    return grant;
  }

  /** The error for a token that is not for a tenant; counts it. */
  refuseTenant(remoteAddress?: string): SpoorError {
    return this.#refuse('wrong_tenant', 'the token is not for this tenant', remoteAddress);
  }

  #refuse(reason: TokenRefusal, message: string, remoteAddress: string | undefined): SpoorError {
    this.#refused[reason]++;
    // A browser comes without one before it asks for it.
    if (reason !== 'missing' || !this.#settings.acceptBasic) {
      this.#throttles
        .get(reason)
        ?.log((suppressed) =>
          this.#logger.warn(
            { reason, remoteAddress, suppressed },
            `${this.path}: request refused: ${message}`,
          ),
        );
    }
    return new SpoorError('unauthenticated', message);
  }

  #tokenOf(authorization: string): string | undefined {
    const space = authorization.indexOf(' ');
    const scheme = authorization.slice(0, space).toLowerCase();
    const credentials = authorization.slice(space + 1).trim();
    if (scheme === 'bearer') return credentials;
    if (scheme !== 'basic' || !this.#settings.acceptBasic) return undefined;
    const userAndPassword = Buffer.from(credentials, 'base64').toString('utf8');
    return userAndPassword.slice(userAndPassword.indexOf(':') + 1);
  }

  #parse({ tokens_file: file }: FileContents): ReadonlyMap<string, TokenGrant> {
    const grants = new Map<string, TokenGrant>();
    const add = (text: string, where: string): void => {
      const line = parseTokenLine(text);
      // Not what stands there: it may be a token.
      if (line === undefined) throw new SpoorError('config', `${this.path}.${where} ${NO_TOKEN}`);
      grants.set(this.#digest(line.token), { tenants: line.tenants });
      if (grants.size > MAX_TOKENS) {
        throw new SpoorError('config', `${this.path}.${where}: more than ${MAX_TOKENS} tokens`);
      }
    };
    for (const [i, text] of this.#settings.tokens.entries()) add(text, `tokens: entry ${i + 1}`);
    const lines = file?.toString('utf8').split('\n') ?? [];
    for (const [i, line] of lines.entries()) {
      const text = line.trim();
      if (text !== '' && !text.startsWith('#')) add(text, `tokens_file: line ${i + 1}`);
    }
    if (grants.size === 0)
      throw new SpoorError('config', `${this.path}.tokens_file: holds no token`);
    this.#warnOfTenants(grants);
    return grants;
  }

  #warnOfTenants(grants: ReadonlyMap<string, TokenGrant>): void {
    const known = new Set(this.#settings.knownTenants);
    if (known.size === 0) return;
    const named = new Set([...grants.values()].flatMap(({ tenants }) => [...tenants]));
    const unknown = [...named.difference(known)].slice(0, MAX_NAMED_TENANTS);
    if (unknown.length === 0) return;
    this.#logger.warn(
      { tenants: unknown },
      `${this.path}: tokens are for tenants that are not let in: ${unknown.join(', ')}; see tenancy.enabled and tenancy.tenants`,
    );
  }

  #digest(token: string): string {
    return createHmac('sha256', this.#key).update(token).digest('base64');
  }
}
