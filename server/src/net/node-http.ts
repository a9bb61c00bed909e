// SPDX-License-Identifier: Apache-2.0

/**
 * `node:http`, for what runs in a server from its start. An `import` reads everything that the module exports, also what it would
 * load only when it is used: a second HTTP client with WebSockets, for 30 ms of CPU.
 */
export const http = process.getBuiltinModule('node:http');
