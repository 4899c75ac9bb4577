/**
 * A stream between two pods: what was sent has to come back, all of it.
 * @module
 */
import { ok } from 'node:assert/strict'
import { eventually, start } from '../kube/process.ts'
import type { Host } from './rig.ts'
import { inside, PATIENCE } from './rig.ts'

const PORT = '8080'
/** Many full packets in both directions. */
const BYTES = 400_000

const SERVER = `Bun.listen({ hostname: process.argv[1], port: ${PORT}, socket: { data: (socket, bytes) => {
  socket.data = [...(socket.data ?? []), Buffer.from(bytes)]
  const all = Buffer.concat(socket.data)
  if (all.length >= ${BYTES}) socket.end(Bun.hash(all) + ' from ' + socket.remoteAddress)
} } })`

const CLIENT = `const all = Buffer.alloc(${BYTES}, 'flannel')
let at = 0
const more = (socket) => { while (at < all.length) { const n = socket.write(all.subarray(at)); if (n <= 0) return; at += n } }
await Bun.connect({ hostname: process.argv[1], port: ${PORT}, socket: { open: more, drain: more, data: (socket, bytes) => {
  console.log(String(bytes).replace(String(Bun.hash(all)), 'same'))
  socket.end()
} } })`

/** Sends a stream from one machine's pod to another's. Throws when it does not arrive as it was, or from another address. */
export async function expectStream(from: Host, to: Host): Promise<void> {
  const address = await to.podAddress
  const command = ['nsenter', `--net=/run/netns/${to.pod}`, process.execPath, '-e', SERVER, address]
  const server = start(command, `${to.folder}/server.log`)
  try {
    await eventually(async () => {
      const answer = await inside(from.pod, 'timeout', '20', process.execPath, '-e', CLIENT, address)
      ok(answer.includes(`same from ${await from.podAddress}`), answer)
    }, PATIENCE)
  } finally {
    await server.stop('SIGKILL')
  }
}
