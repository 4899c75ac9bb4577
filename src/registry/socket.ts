/**
 * The unix socket a server is reached at: taken over from a process that is gone, never from one that lives.
 * @module
 */
import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { RegistryError } from './registry.ts'

/** sun_path has 108 bytes with the closing zero (unix(7)). */
const MAX_PATH = 107

/**
 * Makes room for a socket at this path: removes one that nobody listens on.
 * Throws `REGISTRY_UNAVAILABLE` when somebody does, when the path is something else, or when it is too long.
 */
export async function claimSocket(path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_PATH)
    throw refuse(`${path} is longer than the ${MAX_PATH} bytes a socket path may have`)
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw refuse(`${path} exists and is not a socket: choose another path or remove it`)
  if (await answers(path)) throw refuse(`another process serves ${path}: stop it or choose another path`)
  unlinkSync(path)
}

/** What is answered, in Bun's words. */
export interface PrivateServing {
  fetch(request: Request): Response | Promise<Response>
  error?(error: Error): Response
  readonly maxRequestBodySize?: number
  /** Connections are ended when nothing passes for this long, in seconds: 0 never, ten seconds when absent. */
  readonly idleTimeout?: number
}

/** Something that is served. */
export interface PrivateServer {
  /** Ends every connection and removes the socket. */
  stop(): Promise<void>
}

/** Serves HTTP on a socket that is its owner's alone. Throws `REGISTRY_UNAVAILABLE` where the socket cannot be had. */
export async function servePrivately(path: string, serving: PrivateServing): Promise<PrivateServer> {
  await claimSocket(path)
  // Bun's types know the idle timeout for TCP only; on a unix socket it works too (and `server.timeout()` does not).
  const server = listenPrivately(path, () => Bun.serve({ unix: path, ...(serving as object), fetch: serving.fetch }))
  const stop = async (): Promise<void> => {
    await server.stop(true)
    if (existsSync(path)) unlinkSync(path)
  }
  return { stop }
}

/** Runs `listen` so that the socket it makes is its owner's alone from its first moment on. */
function listenPrivately<T>(path: string, listen: () => T): T {
  const before = process.umask(0o177)
  try {
    const listening = listen()
    chmodSync(path, 0o600)
    return listening
  } finally {
    process.umask(before)
  }
}

/** Whether anybody accepts connections here. Anything but a clear refusal counts as somebody. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    )
  })
}

function refuse(message: string): RegistryError {
  return new RegistryError('REGISTRY_UNAVAILABLE', message)
}
