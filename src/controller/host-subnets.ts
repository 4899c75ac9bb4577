/**
 * Keeps HostSubnets as the IPv4 view of the nodes' networks: one for each, put back when somebody changes it; and
 * answers those that declare hosts outside the cluster.
 * @module
 */
import { type AssignedHostCall, decideAssignedHost, isAssigned } from '../compat/openshift/assigned-host.ts'
import { decideHostSubnet, type HostSubnetCall } from '../compat/openshift/host-subnet-decision.ts'
import { HOST_SUBNETS } from '../compat/openshift/resources.ts'
import { NODE_NETWORKS } from '../compat/weft/node-network.ts'
import type { KubeApi } from '../kube/api.ts'
import { KubeError } from '../kube/errors.ts'
import type { KubeObject } from '../kube/object.ts'
import { WorkQueue } from '../kube/queue.ts'
import { reflectResource } from '../kube/reflector.ts'
import type { NodeNetwork } from '../network/model/node.ts'
import type { Reflection } from '../registry/reflector.ts'
import { Complaints } from './complaints.ts'
import type { ControllerLog } from './controller.ts'

/** What the view is kept with. */
export interface HostSubnetOptions {
  readonly api: KubeApi
  readonly networks: Reflection<'NodeNetwork'>
  readonly signal: AbortSignal
  readonly log: ControllerLog
}

/** Keeps the view until `signal` aborts. Does not reject for anything that the API does. */
export async function runHostSubnets({ api, networks, signal, log }: HostSubnetOptions): Promise<void> {
  const complaints = new Complaints(log)
  const queue = new WorkQueue({
    signal,
    work: async (name) => {
      const object = subnets.store.get(name)?.value
      const network = networks.store.get(name)?.value
      if (object !== undefined && isAssigned(object)) return await lookAfterHost(name, network, object)
      const call = decideHostSubnet(network, object)
      if (call === undefined) return undefined
      await make(api, name, object, call)
      complaints.clear()
      log.info({ kind: HOST_SUBNETS.kind, name }, WORDS[call.op])
      return undefined
    },
    onError: (name, error) => complaints.say(`cannot write HostSubnet ${name}`, error),
  })
  const lookAfterHost = async (
    name: string,
    network: NodeNetwork | undefined,
    object: KubeObject,
  ): Promise<undefined> => {
    const call = decideAssignedHost(network, object)
    if (call?.op === 'refuse')
      complaints.say(`HostSubnet ${name} asks for a host outside the cluster`, new Error(call.why))
    else if (call !== undefined) await assign(api, name, object, call)
    return undefined
  }
  // Nothing is removed before both are known.
  let isReady = false
  const onChange = ({ object }: { readonly object: { readonly name: string } }): void => {
    if (isReady) queue.add(object.name)
  }
  const subnets = reflectResource(
    api,
    HOST_SUBNETS,
    {},
    { signal, onChange, onError: (error) => complaints.say('cannot watch HostSubnet', error) },
  )
  networks.listen(onChange)
  await Promise.all([networks.synced, subnets.synced])
  isReady = true
  for (const name of new Set([...networks.store.keys(), ...subnets.store.keys()])) queue.add(name)
  await Promise.all([subnets.done, queue.done])
}

const WORDS = { create: 'HostSubnet created', patch: 'HostSubnet put back', delete: 'HostSubnet deleted' } as const

/** Makes a call. What somebody else did meanwhile is told by the watch, and decided about then. */
async function make(api: KubeApi, name: string, object: KubeObject | undefined, call: HostSubnetCall): Promise<void> {
  const { resourceVersion, uid } = object?.metadata ?? {}
  try {
    if (call.op === 'create') await api.create(HOST_SUBNETS, call.object)
    else if (call.op === 'patch') {
      const metadata = { ...(call.patch['metadata'] as object | undefined), resourceVersion }
      await api.patch(HOST_SUBNETS, { name }, 'merge', { ...call.patch, metadata })
    } else await api.delete(HOST_SUBNETS, { name }, uid === undefined ? {} : { uid })
  } catch (error) {
    if (!(error instanceof KubeError) || !OVERTAKEN.has(error.code)) throw error
  }
}

/** Makes a call for a host outside the cluster, under the same terms. */
async function assign(
  api: KubeApi,
  name: string,
  { metadata: { resourceVersion } }: KubeObject,
  call: Exclude<AssignedHostCall, { readonly op: 'refuse' }>,
): Promise<void> {
  try {
    if (call.op === 'declare') await api.create(NODE_NETWORKS, call.object)
    else if (call.op === 'amend') await api.patch(NODE_NETWORKS, { name }, 'merge', call.patch)
    else await api.patch(HOST_SUBNETS, { name }, 'merge', { ...call.patch, metadata: { resourceVersion } })
  } catch (error) {
    if (!(error instanceof KubeError) || !OVERTAKEN.has(error.code)) throw error
  }
}

const OVERTAKEN: ReadonlySet<string> = new Set(['KUBE_EXISTS', 'KUBE_CONFLICT', 'KUBE_NOT_FOUND'])
