/**
 * The cluster's DNS: names from the API, served in a pod's network namespace.
 * @module
 */
import type { KubeApi } from '../../kube/api.ts'
import type { KubeObject, Resource } from '../../kube/object.ts'
import { type ResourceChange, reflectResource } from '../../kube/reflector.ts'
import { ENDPOINT_SLICES, SERVICES } from '../../kube/resources.ts'
import { aborted } from '../../registry/backoff.ts'
import { serveDns } from './server.ts'
import type { DnsSockets } from './sockets.ts'
import { ClusterZone } from './zone.ts'

/** What a DNS server says of itself. */
export interface DnsLog {
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
}

/** Where the names come from and where they are served. */
export interface DnsOptions {
  readonly api: KubeApi
  /** The path of the network namespace. */
  readonly netns: string
  /** Where to listen there; absent: at all its addresses as they are when it starts. */
  readonly addresses?: readonly string[]
  /** `cluster.local`. */
  readonly domain: string
  /** 53 when absent. */
  readonly port?: number
  readonly signal: AbortSignal
  readonly log: DnsLog
  readonly sockets?: DnsSockets
}

/**
 * Serves until `signal` aborts. Names are answered once they are all known; from then on an API that does not answer
 * leaves the names as they were. Resolves when all is closed; rejects when it cannot listen.
 */
export async function runDns(options: DnsOptions): Promise<void> {
  const { api, netns, signal, log } = options
  const zone = new ClusterZone(options.domain)
  const stop = new AbortController()
  const ended = AbortSignal.any([signal, stop.signal])
  const services = mirror(api, SERVICES, ended, log, {
    put: (object) => zone.setService(object),
    drop: (object) => zone.removeService(object),
  })
  const slices = mirror(api, ENDPOINT_SLICES, ended, log, {
    put: (object) => zone.setSlice(object),
    drop: (object) => zone.removeSlice(object),
  })
  try {
    await Promise.all([services.synced, slices.synced])
    if (signal.aborted) return
    const onError = (error: unknown): void => log.warn({ err: error }, 'a question could not be answered')
    const server = serveDns({ ...options, zone, onError })
    log.info({ netns, domain: zone.domain }, 'serving names')
    try {
      await aborted(signal)
    } finally {
      server.close()
    }
  } finally {
    stop.abort()
    await Promise.allSettled([services.done, slices.done])
  }
}

interface Sink {
  readonly put: (object: KubeObject) => void
  readonly drop: (object: KubeObject) => void
}

function mirror(api: KubeApi, resource: Resource, signal: AbortSignal, log: DnsLog, sink: Sink) {
  return reflectResource(
    api,
    resource,
    {},
    {
      signal,
      onChange: (change: ResourceChange) => {
        if (change.type === 'delete') sink.drop(change.object.value)
        else {
          // A slice may have been given to another service.
          if (change.before !== undefined) sink.drop(change.before.value)
          sink.put(change.object.value)
        }
      },
      onError: (error, retryIn) => {
        const code = error instanceof Error && 'code' in error ? error.code : undefined
        log.warn({ code, retryIn }, `${resource.plural} cannot be read`)
      },
    },
  )
}
