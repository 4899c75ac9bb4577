/**
 * What makes a controller look after networks by name, and after what coordinators are told, in every way that it ever
 * does.
 * @module
 */
import type { Watched } from './claims-calls.ts'
import { eventually } from './process.ts'

const PATIENCE = 30_000
const API = 'spiderpool.spidernet.io/v2beta1'

/** Describes a network, spoils what is made of it, and asks for the cluster's ranges. */
export async function exerciseNetworks({ kubectl, hasDone }: Watched): Promise<void> {
  const create = (kind: string, name: string, spec: object): Promise<string> =>
    kubectl(['create', '-f', '-'], { apiVersion: API, kind, metadata: { name }, spec })
  await create('SpiderMultusConfig', 'ovs-conf', { cniType: 'ovs', ovs: { bridge: 'br1' } })
  await eventually(async () => kubectl(['get', 'net-attach-def', 'ovs-conf']), PATIENCE)
  await kubectl(['wait', 'smc', 'ovs-conf', '--for=condition=Ready', '--timeout=30s'])
  await kubectl(['patch', 'net-attach-def', 'ovs-conf', '--type=merge', '-p', '{"spec":{"config":"{}"}}'])
  await eventually(hasDone('patch', 'network-attachment-definitions'), PATIENCE)
  await eventually(async () => kubectl(['get', 'scc', 'default']), PATIENCE)
  await create('SpiderCoordinator', 'other', { podCIDRType: 'none' })
  await kubectl(['wait', 'scc', 'other', '--for=jsonpath={.status.phase}=Synced', '--timeout=30s'])
  await eventually(hasDone('patch', 'spidercoordinators'), PATIENCE)
}
