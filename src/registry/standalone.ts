/**
 * The stand-alone registry: in memory, behind a socket, and in a file when it is to outlive its process.
 * @module
 */
import { Journal } from './journal.ts'
import { MemoryRegistry } from './memory.ts'
import { RegistryError } from './registry.ts'
import { type RegistryServer, serveRegistry } from './server.ts'
import { claimSocket } from './socket.ts'

/** A file that state is kept in. */
export interface StateFile {
  readonly path: string
  /** Locks a file until disposed or the process's end; undefined when another process has it locked. */
  lock(path: string): Disposable | undefined
}

/** How a stand-alone registry is started. */
export interface StandaloneOptions {
  /** Where the socket is to be. */
  readonly path: string
  /** Absent: state ends with the process. */
  readonly state?: StateFile
  /** The time in milliseconds since 1970, by which a registry that forgot everything counts on from above. */
  readonly now: number
  readonly bookmarkInterval?: number
}

/** Starts a stand-alone registry. Throws a RegistryError when socket or state file cannot be had. */
export async function startStandaloneRegistry(options: StandaloneOptions): Promise<RegistryServer> {
  const { path, state, now, bookmarkInterval } = options
  using held = new DisposableStack()
  if (state !== undefined) held.use(lockOf(state))
  await claimSocket(path)
  // More than a thousand changes in every millisecond since is more than anybody made.
  const revision = Math.floor(now) * 1000
  const journal = state === undefined ? undefined : held.adopt(new Journal(state.path, revision), (one) => one.close())
  const registry =
    journal === undefined
      ? new MemoryRegistry({ revision })
      : new MemoryRegistry({
          revision: journal.initial.revision,
          objects: [...journal.initial.entries.values()],
          onCommit: (entry) => journal.append(entry),
        })
  const server = await serveRegistry(registry, {
    path,
    ...(bookmarkInterval === undefined ? {} : { bookmarkInterval }),
  })
  const kept = held.move()
  const stop = async (): Promise<void> => {
    await server.stop()
    kept.dispose()
  }
  return { path, stop }
}

/** One process writes a state file. The file itself is another one from time to time: the lock is beside it. */
function lockOf({ path, lock }: StateFile): Disposable {
  const mine = lock(`${path}.lock`)
  if (mine !== undefined) return mine
  throw new RegistryError('REGISTRY_UNAVAILABLE', `another process has ${path} open: stop it or choose another file`)
}
