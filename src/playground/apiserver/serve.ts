/**
 * The embedded API server: enough of the Kubernetes API for kubectl, agents and controllers, for a playground and for
 * tests. Its tokens are as good as a root shell, so it listens on the loopback address alone.
 * @module
 */
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Server } from 'bun'
import type { Cidr } from '../../network/model/address.ts'
import type { Context } from './context.ts'
import type { PodRuntime } from './contract.ts'
import { expireEvents } from './controllers/events.ts'
import { GarbageCollector } from './controllers/garbage.ts'
import { Cleanup } from './controllers/namespaces.ts'
import type { Formats } from './formats.ts'
import { Credentials } from './http/credentials.ts'
import { type Access, writeKubeconfig } from './http/kubeconfig.ts'
import { type ListenOptions, listen } from './http/server.ts'
import { type Certificates, certificatesIn } from './http/tls.ts'
import { Admission } from './objects/admission.ts'
import { ServiceAddresses } from './objects/service-addresses.ts'
import { Resources } from './resources.ts'
import { traitsOf } from './selectors/field.ts'
import { type HistoryLimits, Store } from './store/store.ts'
import type { Attachment } from './streams/exec.ts'
import { createObject } from './verbs/create.ts'

/** How to serve. */
export interface ApiServerOptions {
  /** Where everything is kept; made 0700. One server at a time. */
  readonly dir: string
  readonly formats: Formats
  /** Default: any that is free. */
  readonly port?: number
  /** A unix socket to listen on as well, for programs in network namespaces of their own. Its owner's alone. */
  readonly socket?: string
  /** Default: true. Without, it is for tests on the loopback address. */
  readonly tls?: boolean
  /** Of one or two families, the default one first. */
  readonly serviceNetworks: readonly Cidr[]
  readonly nodePortRange?: { readonly first: number; readonly last: number }
  readonly history?: HistoryLimits
  /** How often a quiet watch gets a bookmark, in milliseconds. */
  readonly bookmarkInterval?: number
  /** What runs pods; without, logs and exec are refused. */
  readonly runtime?: PodRuntime
  readonly now?: () => Date
  /** Told of errors that are the server's own. */
  readonly log?: (message: string, error: unknown) => void
}

/** A server that serves. */
export interface ApiServer {
  readonly url: string
  readonly port: number
  /** The authority's certificate in PEM; absent without TLS. */
  readonly ca: string | undefined
  /** The token of a user: `admin`, `controller`, `node:<name>`. Made on first use, kept over restarts. */
  tokenOf(user: string): string
  /** Writes a kubeconfig for a user, 0600. kubectl understands the port only. */
  writeKubeconfig(path: string, user: string, by?: 'port' | 'socket'): void
  /** Ends every connection and closes the store. */
  stop(): Promise<void>
}

const NODE_PORTS = { first: 30_000, last: 32_767 }
const HISTORY: HistoryLimits = { count: 20_000, age: 3600_000 }
const BOOKMARK_INTERVAL = 60_000
const UPKEEP_INTERVAL = 60_000
const COMPACT_INTERVAL = 5_000
const SYSTEM_NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

/**
 * Serves the API. Throws a PlaygroundError when no certificate can be made, and the system's error (EADDRINUSE) when the
 * port or the socket cannot be had; nothing is left open then.
 */
export async function serveApi(options: ApiServerOptions): Promise<ApiServer> {
  const { dir, now = () => new Date(), log = () => undefined, tls: isSecure = true } = options
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  chmodSync(dir, 0o700)
  const tls = isSecure ? await certificatesIn(dir) : undefined
  const credentials = new Credentials(join(dir, 'tokens.json'))
  const stopping = new AbortController()
  const context = openContext({ ...options, now }, stopping.signal)
  const upkeep = startUpkeep(context, log)
  const servers: Server<Attachment>[] = []
  const stop = async (): Promise<void> => {
    stopping.abort()
    await upkeep.stop()
    await Promise.all(servers.map((server) => server.stop(true)))
    await context.store.close()
  }
  const listenAt = (at: ListenOptions['at']): Server<Attachment> => {
    const server = listen(context, { at, tls, credentials, log })
    servers.push(server)
    return server
  }
  try {
    await makeSystemNamespaces(context)
    const { port = 0 } = listenAt({ port: options.port ?? 0 })
    if (options.socket !== undefined) listenAt({ socket: options.socket })
    return serverOf(options, credentials, tls, port, stop)
  } catch (error) {
    // A store that stayed open would go on writing what it once knew over what the next one writes.
    await stop()
    throw error
  }
}

/** What the caller gets of a server that listens. */
function serverOf(
  { socket }: ApiServerOptions,
  credentials: Credentials,
  tls: Certificates | undefined,
  port: number,
  stop: () => Promise<void>,
): ApiServer {
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
  return {
    url,
    port,
    ca: tls?.ca,
    tokenOf: (user) => credentials.tokenOf(user),
    writeKubeconfig: (path, user, by = 'port') => {
      const access: Access = { url, ca: tls?.ca, user, token: credentials.tokenOf(user) }
      writeKubeconfig(path, by === 'socket' && socket !== undefined ? { ...access, socket } : access)
    },
    stop,
  }
}

function openContext(options: ApiServerOptions & { readonly now: () => Date }, stopping: AbortSignal): Context {
  const { dir, formats, now, serviceNetworks, nodePortRange = NODE_PORTS, history = HISTORY } = options
  const path = join(dir, 'store.sqlite')
  const store = new Store({ path, now: () => now().getTime(), traitsOf, history })
  const resources = new Resources(store, formats)
  store.addIndex(resources)
  const ranges = { networks: serviceNetworks, nodePorts: nodePortRange }
  const addresses = new ServiceAddresses(store, ranges, Math.random)
  store.addIndex(addresses)
  return {
    store,
    resources,
    formats,
    admission: new Admission(store, addresses),
    runtime: options.runtime,
    bookmarkInterval: options.bookmarkInterval ?? BOOKMARK_INTERVAL,
    now,
    uuid: () => crypto.randomUUID(),
    stopping,
  }
}

/** What the server does by itself, until it stops. */
function startUpkeep(context: Context, log: (message: string, error: unknown) => void): { stop(): Promise<void> } {
  const cleanup = new Cleanup(context, log)
  const garbage = new GarbageCollector(context, log)
  context.store.addIndex(cleanup)
  context.store.addIndex(garbage)
  const guarded = (work: () => void | Promise<void>) => async (): Promise<void> => {
    try {
      await work()
    } catch (error) {
      log('upkeep failed', error)
    }
  }
  const timers = [
    setInterval(
      guarded(() => expireEvents(context)),
      UPKEEP_INTERVAL,
    ),
    setInterval(
      guarded(() => context.store.compact()),
      COMPACT_INTERVAL,
    ),
  ]
  return {
    stop: async () => {
      for (const timer of timers) clearInterval(timer)
      await Promise.all([cleanup.done, garbage.done])
    },
  }
}

async function makeSystemNamespaces(context: Context): Promise<void> {
  const resource = context.resources.find('', 'v1', 'namespaces')
  if (resource === undefined) return
  for (const name of SYSTEM_NAMESPACES) {
    if (context.store.get('/namespaces', '', name) !== undefined) continue
    createObject(context, resource, { metadata: { name } }, { namespace: '' })
  }
  await context.store.settled()
}
