// SPDX-License-Identifier: Apache-2.0
import { connect } from 'node:net';

/**
 * Sends what may be no request as it should be to a port of this machine.
 * @returns what comes until the connection is closed; of more than one answer the rest is in the body
 */
export async function ask(port: number, request: string): Promise<[head: string, body: string]> {
  const socket = connect(port, '127.0.0.1');
  socket.write(request);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  const headEnd = answer.indexOf('\r\n\r\n');
  return headEnd < 0 ? [answer, ''] : [answer.slice(0, headEnd), answer.slice(headEnd + 4)];
}
