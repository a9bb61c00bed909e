// SPDX-License-Identifier: Apache-2.0
import { createSocket } from 'node:dgram';

/** Sends bytes to host:port over UDP. */
export async function sendDatagram(address: string, bytes: Uint8Array): Promise<void> {
  const { hostname, port } = new URL(`udp://${address}`);
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.send(bytes, Number(port), hostname, (error) => (error ? reject(error) : resolve()));
  });
  socket.close();
}
