/**
 * The unix socket a server is reached at: taken over from a process that is gone, never from one that lives.
 * @module
 */
import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
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

/** Runs `listen` so that the socket it makes is its owner's alone from its first moment on. */
export function listenPrivately<T>(path: string, listen: () => T): T {
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
