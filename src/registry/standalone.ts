/**
 * The stand-alone registry: in memory, behind a socket, and in a file when it is to outlive its process.
 * @module
 */
import { Journal } from './journal.ts'
import { MemoryRegistry } from './memory.ts'
import { type RegistryServer, serveRegistry } from './server.ts'
import { claimSocket } from './socket.ts'

/** How a stand-alone registry is started. */
export interface StandaloneOptions {
  /** Where the socket is to be. */
  readonly path: string
  /** The file that state is kept in; absent: it ends with the process. */
  readonly state?: string
  /** The time in milliseconds since 1970, by which a registry that forgot everything counts on from above. */
  readonly now: number
  readonly bookmarkInterval?: number
}

/** Starts a stand-alone registry. Throws a RegistryError when socket or state file cannot be had. */
export async function startStandaloneRegistry(options: StandaloneOptions): Promise<RegistryServer> {
  const { path, state, now, bookmarkInterval } = options
  // Before the state file is touched: whoever answers here may be writing it.
  await claimSocket(path)
  // More than a thousand changes in every millisecond since is more than anybody made.
  const revision = Math.floor(now) * 1000
  const journal = state === undefined ? undefined : new Journal(state, revision)
  const registry =
    journal === undefined
      ? new MemoryRegistry({ revision })
      : new MemoryRegistry({
          revision: journal.initial.revision,
          objects: [...journal.initial.entries.values()],
          onCommit: (entry) => journal.append(entry),
        })
  try {
    const server = await serveRegistry(registry, {
      path,
      ...(bookmarkInterval === undefined ? {} : { bookmarkInterval }),
    })
    const stop = async (): Promise<void> => {
      await server.stop()
      journal?.close()
    }
    return { path, stop }
  } catch (error) {
    journal?.close()
    throw error
  }
}
