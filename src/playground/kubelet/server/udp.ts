/**
 * The same facts over UDP: a line, then the datagram itself.
 * @module
 */
import { endText, greeting, type Identity } from './identity.ts'
import type { Told } from './tcp.ts'

/** Listens on both families in the network namespace that this process is in. Rejects when it cannot. */
export async function listenUdp(port: number, who: Identity, told: Told): Promise<{ close(): void }> {
  const server = await Bun.udpSocket({
    hostname: '::',
    port,
    socket: {
      data: (socket, bytes, from, address) => {
        const client = { address, port: from }
        told(`${endText(client)} -> port ${port} UDP ${bytes.length} bytes`)
        socket.send(Buffer.concat([Buffer.from(greeting(who, client)), bytes]), from, address)
      },
    },
  })
  return { close: () => server.close() }
}
