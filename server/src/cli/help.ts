// SPDX-License-Identifier: Apache-2.0
import { PORTS } from '#config/ports.ts';

/** Text of `spoor --help`. */
export const HELP = `Spoor: distributed tracing in one program.

Usage:
  spoor [serve] [options]           receive, store and show traces (the default)
  spoor config print [options]      the effective configuration, as YAML
  spoor config validate [options]   check the configuration and say what is wrong
  spoor store ACTION [options]      verify, stats, compact, delete; spoor store --help
  spoor tracegen [options]          send made-up traces; spoor tracegen --help

Options:
  --data DIR                 directory of the stored traces
                             (default: SPOOR_DATA, else ./spoor-data)
  --config FILE              configuration in YAML
  --set path.to.key=value    change one key of it; may be repeated
  -h, --help                 this text
  -v, --version              the version

Once it runs:
  http://localhost:${PORTS.query}        the web page and the query API
  localhost:${PORTS.otlpGrpc}, ${PORTS.otlpHttp}      send OpenTelemetry spans here: gRPC, HTTP
  http://localhost:${PORTS.health}/ready  says whether it takes requests

Example: another port for the web page
  spoor --set query.http.endpoint=127.0.0.1:8080
`;
