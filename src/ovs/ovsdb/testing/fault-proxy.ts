import { rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'

/** What happens to the bytes from the server to the client. */
export type Fault =
  | { readonly kind: 'none' }
  /** Forward this many bytes, then cut the connection: a message ends in the middle. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Send these bytes instead of the server's. */
  | { readonly kind: 'garbage'; readonly bytes: Uint8Array }
  /** Stay connected and deliver nothing. */
  | { readonly kind: 'stall' }
  /** Deliver in pieces of this size, one per turn of the event loop. */
  | { readonly kind: 'trickle'; readonly size: number }

/** A proxy in front of a real ovsdb-server that injects the faults one cannot ask the server for. */
export type FaultProxy = {
  readonly path: string
  /** Applies to connections open and to come. */
  setFault(fault: Fault): void
  /** Cuts every open connection. */
  cutAll(): void
  /** Connections accepted so far. */
  readonly accepted: number
  close(): Promise<void>
}

/** Listens on `path` and forwards to `target`, both unix sockets. */
export async function startFaultProxy(path: string, target: string): Promise<FaultProxy> {
  let fault: Fault = { kind: 'none' }
  let accepted = 0
  const open = new Set<Socket>()
  const server = createServer((client) => {
    accepted += 1
    const upstream = connect(target)
    let forwarded = 0
    const cut = (): void => {
      client.destroy()
      upstream.destroy()
    }
    const deliver = (chunk: Buffer): void => {
      const now = fault
      if (now.kind === 'stall') return
      if (now.kind === 'garbage') client.write(now.bytes)
      else if (now.kind === 'trickle') trickle(client, chunk, now.size)
      else if (now.kind === 'cut' && forwarded + chunk.length >= now.afterBytes) {
        client.end(chunk.subarray(0, Math.max(0, now.afterBytes - forwarded)))
        upstream.destroy()
      } else client.write(chunk)
      forwarded += chunk.length
    }
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', cut)
      socket.on('close', () => {
        open.delete(socket)
        if (socket === client) upstream.destroy()
        else client.end()
      })
    }
    client.on('data', (chunk: Buffer) => upstream.write(chunk))
    upstream.on('data', deliver)
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const cutAll = (): void => {
    for (const socket of open) socket.destroy()
  }
  return {
    path,
    setFault: (next) => {
      fault = next
    },
    cutAll,
    get accepted() {
      return accepted
    },
    close: async () => {
      cutAll()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await rm(path, { force: true })
    },
  }
}

/** Pieces keep their order because every turn's writes are queued at once. */
function trickle(client: Socket, chunk: Buffer, size: number): void {
  for (let at = 0; at < chunk.length; at += size) {
    const piece = chunk.subarray(at, at + size)
    setImmediate(() => client.write(piece))
  }
}
