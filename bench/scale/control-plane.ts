/**
 * The control plane of a large cluster: store, API server, controller.
 * @module
 */
import { HOST_SUBNETS, NET_NAMESPACES } from '../../src/compat/openshift/resources.ts'
import { NODE_NETWORKS } from '../../src/compat/weft/node-network.ts'
import type { Result } from '../result.ts'
import { farNode, namespaceName, namespaceObjects, nodeObject, podObject, type Size } from './objects.ts'
import type { ScaleRig } from './rig.ts'
import { settledMemory } from './usage.ts'

/** Namespaces that the API server makes by itself. */
const SYSTEM_NAMESPACES = 4

/** Everything from the objects written until the controller has nothing left to do, and the controller started again. */
export async function measureControlPlane(rig: ScaleRig, size: Size): Promise<readonly Result[]> {
  const filled = await rig.fill(clusterObjects(rig, size))
  const apiStart = await rig.startApi()
  await rig.define()
  const cold = await rig.startController(() => isAssigned(rig, size))
  const memory = await settledMemory(rig.pid('controller'))
  const again = await restart(rig, size)
  const warm = await settledMemory(rig.pid('controller'))
  const api = await settledMemory(rig.pid('api'), 0)
  const cluster = `${count(size.nodes)} nodes, ${count(size.namespaces)} namespaces, ${count(size.pods)} pods`
  return [
    {
      what: `${cluster}: API server starts`,
      unit: 's',
      ours: apiStart,
      note: `its store was written before, by its own code without calls: ${count(filled.objects)} objects in ${filled.seconds.toFixed(1)} s`,
    },
    { what: 'the same: API server, resident', unit: 'MiB', ours: api.resident, note: `at most ${mib(api.peak)}` },
    {
      what: 'controller from nothing: all ranges, HostSubnets and VNIs given',
      unit: 's',
      ours: cold,
      note: `${count(2 * size.nodes + size.namespaces)} objects made, from its start; API server and controller share the machine`,
    },
    {
      what: 'controller then, resident',
      unit: 'MiB',
      ours: memory.resident,
      note: `at most ${mib(memory.peak)}; nothing of it is for pods, which it does not read`,
    },
    {
      what: 'controller killed and started again: a join that waited is answered',
      unit: 's',
      ours: again,
    },
    { what: 'controller then, resident', unit: 'MiB', ours: warm.resident, note: `at most ${mib(warm.peak)}` },
  ]
}

/** Number with thousands marked. */
export function count(value: number): string {
  return value.toLocaleString('en')
}

export function mib(value: number): string {
  return `${value.toFixed(0)} MiB`
}

function* clusterObjects({ node }: ScaleRig, size: Size) {
  yield nodeObject(node.name, node.addresses)
  for (let n = 0; n < size.nodes - 1; n += 1) yield farNode(n)
  for (let n = 0; n < size.namespaces; n += 1) yield* namespaceObjects(n)
  for (let n = 0; n < size.pods; n += 1) yield podObject(n, { ...size, nodes: size.nodes - 1 })
}

async function isAssigned(rig: ScaleRig, { nodes, namespaces }: Size): Promise<boolean> {
  const isThere = async (...args: Parameters<ScaleRig['count']>) => rig.count(...args)
  return (
    (await isThere(NET_NAMESPACES)) >= namespaces + SYSTEM_NAMESPACES &&
    (await isThere(NODE_NETWORKS)) >= nodes &&
    (await isThere(HOST_SUBNETS)) >= nodes
  )
}

/** A request is made while there is no controller; seconds from its start until the request is granted. */
async function restart(rig: ScaleRig, { namespaces }: Size): Promise<number> {
  await rig.end('controller')
  const [asker, target] = [namespaceName(namespaces - 1), namespaceName(namespaces - 2)]
  const vni = await rig.vniOf(target)
  await rig.askToJoin(asker, target)
  return rig.startController(async () => (await rig.vniOf(asker)) === vni)
}
