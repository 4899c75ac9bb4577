/**
 * Serves names in every pod that is there for it.
 * @module
 */
import type { KubeApi } from '../../kube/api.ts'
import type { KubeObject } from '../../kube/object.ts'
import { WorkQueue } from '../../kube/queue.ts'
import { keyOf, reflectResource } from '../../kube/reflector.ts'
import { PODS } from '../../kube/resources.ts'
import { podOf } from '../workloads/pod.ts'
import { at, list } from '../workloads/values.ts'
import { DNS_LABEL, DNS_NAMESPACE } from './objects.ts'
import { type DnsOptions, runDns } from './run.ts'

/** What serving in pods needs beside what serving needs. */
export interface DnsPodsOptions extends Omit<DnsOptions, 'netns' | 'addresses'> {
  /** The path of a pod's network namespace; undefined for a pod that is not to be served in here. */
  readonly netnsOf: (pod: KubeObject) => string | undefined
}

/** Serves in the pods labelled for it as they come and go, until `signal` aborts; never rejects. */
export async function serveDnsPods(options: DnsPodsOptions): Promise<void> {
  const { api, signal, log } = options
  const servers = new Map<string, Server>()
  const pods = reflectPods(api, signal, log, (key) => queue.add(key))
  const queue = new WorkQueue({
    work: async (key) => {
      const pod = pods.store.get(key)?.value
      const wanted = pod === undefined ? undefined : placeOf(options, pod)
      const server = servers.get(key)
      if (server !== undefined && server.place === JSON.stringify(wanted)) return undefined
      servers.delete(key)
      await server?.stop()
      if (wanted !== undefined)
        servers.set(
          key,
          start(options, wanted, () => queue.add(key)),
        )
      return undefined
    },
    onError: (_, error, retryIn) => log.warn({ err: error, retryIn }, 'names are not served in a pod'),
    signal,
  })
  await Promise.all([queue.done, pods.done])
  await Promise.all([...servers.values()].map((server) => server.stop()))
}

interface Place {
  readonly uid: string
  readonly netns: string
  readonly addresses: readonly string[]
}

interface Server {
  /** What it was started for; another text means that it has to be started anew. */
  place: string
  stop(): Promise<void>
}

/** A pod is served in from its addresses on until it is gone: as long as it ends, others may still ask it. */
function placeOf({ netnsOf }: DnsPodsOptions, object: KubeObject): Place | undefined {
  const addresses = list(at(object, 'status', 'podIPs')).flatMap((one) => {
    const address = at(one, 'ip')
    return typeof address === 'string' ? [address] : []
  })
  const netns = addresses.length === 0 ? undefined : netnsOf(object)
  return netns === undefined ? undefined : { uid: podOf(object).uid, netns, addresses }
}

/** One that ends by itself could not listen, such as on an address that is still being checked: it is tried again. */
function start(options: DnsPodsOptions, place: Place, again: () => void): Server {
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const { netns, addresses } = place
  const running = runDns({ ...options, netns, addresses, signal }).catch(async (error: unknown) => {
    options.log.warn({ err: error, netns }, 'names cannot be served in a pod')
    server.place = ''
    setTimeout(again, RETRY)
  })
  const server: Server = {
    place: JSON.stringify(place),
    stop: async () => {
      stop.abort()
      await running
    },
  }
  return server
}

const RETRY = 500

function reflectPods(api: KubeApi, signal: AbortSignal, log: DnsOptions['log'], add: (key: string) => void) {
  const labelSelector = Object.entries(DNS_LABEL)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
  return reflectResource(
    api,
    PODS,
    { namespace: DNS_NAMESPACE, labelSelector },
    {
      signal,
      onChange: ({ object }) => add(keyOf(object.value)),
      onError: (error, retryIn) => {
        const code = error instanceof Error && 'code' in error ? error.code : undefined
        log.warn({ code, retryIn }, 'pods cannot be read')
      },
    },
  )
}
