// SPDX-License-Identifier: Apache-2.0
import { PORTS } from '#config/ports.ts';
import { ROLES, ROLE_TEXTS } from '#config/presets.ts';

/** Text of `spoor --help`. */
export const HELP = `Spoor: distributed tracing in one program.

Usage:
  spoor [serve] [options]           receive, store and show traces (the default)
  spoor ROLE [options]              one part of that; the roles are
${ROLES.filter((role) => role !== 'all-in-one')
  .map((role) => `    ${role.padEnd(30)}  ${ROLE_TEXTS[role]}\n`)
  .join('')}
  spoor config print [ROLE]         the effective configuration, as YAML
  spoor config validate [ROLE]      check the configuration and say what is wrong
  spoor config docs                 every key with its meaning, as Markdown
  spoor store ACTION [options]      verify, stats, compact, delete; spoor store --help
  spoor tracegen [options]          send made-up traces; spoor tracegen --help

Options:
  --data DIR                 directory of the stored traces
                             (default: SPOOR_DATA, else ./spoor-data)
  --config FILE              configuration in YAML
  --set path.to.key=value    change one key of it; may be repeated
  --FLAG=VALUE               flags of Jaeger 1, as --collector.zipkin.host-port=:9411;
                             their environment variables are taken too
  -h, --help                 this text
  -v, --version              the version

Once it runs:
  http://localhost:${PORTS.query}        the web page and the query API
  localhost:${PORTS.otlpGrpc}, ${PORTS.otlpHttp}      send OpenTelemetry spans here: gRPC, HTTP
  http://localhost:${PORTS.health}/ready  says whether it takes requests

Example: another port for the web page
  spoor --set query.http.endpoint=127.0.0.1:8080
`;
