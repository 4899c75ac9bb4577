/**
 * Lists ports of OpenStack as Neutron has them and as they are written down, and has them compared. Nothing is written anywhere.
 * @module
 */
import { auditPorts, type Carrier, inNoPool } from '../../controller/openstack/audit.ts'
import { auditUse } from '../../controller/openstack/audit-use.ts'
import { clusterTags } from '../../controller/openstack/ours.ts'
import { eachOf } from '../../controller/openstack/reserved.ts'
import type { Finding } from '../../insight/audit/findings.ts'
import type { NodePorts } from '../../network/model/neutron.ts'
import { OpenStackError } from '../../openstack/errors.ts'
import { MOST_IDS, type Port } from '../../openstack/neutron/model.ts'
import type { Neutron } from '../../openstack/neutron/neutron.ts'
import { type Kind, type Kinds, type Registry, RegistryError } from '../../registry/registry.ts'
import { NOT_LOOKED, type OutsideLook, sentenceOf } from './outside.ts'

/** Where ports are looked for. */
export interface PortsChoice {
  readonly registry: Registry
  /** A session with the credentials that are there. Throws `OPENSTACK_CONFIG`. */
  readonly open: () => Neutron
  /** Options name the credentials: the cloud is asked also where nothing is written down. */
  readonly isNamed: boolean
  /** Options or the environment name them: that they cannot be used is a finding. */
  readonly isGiven: boolean
}

const NOWHERE = { node: '-', step: undefined } as const

/** Compares. Where nothing of OpenStack's is written down and no option names a cloud, nobody is asked anything. */
export async function lookAtPorts(choice: PortsChoice): Promise<OutsideLook> {
  const { registry, isNamed } = choice
  try {
    if ((await listed(registry, 'NodePorts')).length === 0 && !isNamed) return NOT_LOOKED
    const machines = await listed(registry, 'Node').catch(() => undefined)
    // A node speaks of ports that are written down already, and Neutron has them before that.
    const uses = await listed(registry, 'PortUse')
    const neutron = await inNeutron(choice)
    const nodes = await listed(registry, 'NodePorts')
    const names = machines === undefined ? {} : { machines: new Set(machines.map(({ name }) => name)) }
    const told = auditUse({ nodes, uses, ...names }).map((one): Finding => ({ ...one, step: undefined }))
    const look = await compared(neutron, nodes)
    return { ...look, findings: [...look.findings, ...told] }
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    const detail = `ports of OpenStack: ${sentenceOf(error)}`
    if (isNamed)
      return { ...NOT_LOOKED, findings: [{ ...NOWHERE, code: 'registry-silent', object: 'registry', detail }] }
    return { ...NOT_LOOKED, notes: [`Not compared: ${detail}`] }
  }
}

interface Ours {
  readonly neutron: Neutron
  readonly cluster: string
  readonly ports: readonly Port[]
}

/** This cluster's ports, or why there is no telling. */
async function inNeutron({ registry, open, isGiven }: PortsChoice): Promise<Ours | OutsideLook> {
  const cluster = (await registry.get('Namespace', 'kube-system'))?.value.uid ?? ''
  if (cluster === '') return unseen('there is no namespace kube-system, whose uid tells which ports are this cluster’s')
  try {
    const neutron = open()
    return { neutron, cluster, ports: await neutron.ports.list({ tags: clusterTags(cluster) }) }
  } catch (error) {
    if (!(error instanceof OpenStackError)) throw error
    if (isGiven || error.code !== 'OPENSTACK_CONFIG') return silent(error)
    return unseen(`${error.message} here → give --openstack-clouds-file FILE, or ask where the controller runs`)
  }
}

async function compared(found: Ours | OutsideLook, nodes: readonly NodePorts[]): Promise<OutsideLook> {
  if (!('neutron' in found)) return found
  const { neutron, cluster, ports: ours } = found
  try {
    const parents = await parentsOf(neutron, nodes)
    const carriers = await carriersOf(neutron, inNoPool(ours, nodes))
    const findings = auditPorts({ cluster, nodes, ours, parents, carriers })
    return {
      findings: findings.map(({ node = '-', ...one }) => ({ ...one, node, step: undefined })),
      compared: [[ours.length, 'Neutron port']],
      notes: [],
    }
  } catch (error) {
    if (!(error instanceof OpenStackError)) throw error
    return silent(error)
  }
}

/** VMs' ports. One that is gone is left out. */
async function parentsOf({ ports }: Neutron, nodes: readonly NodePorts[]): Promise<ReadonlyMap<string, Port>> {
  const ids = [...new Set(nodes.flatMap(({ pools }) => pools.map(({ parent }) => parent.portId)))]
  const parts = Array.from({ length: Math.ceil(ids.length / MOST_IDS) }, (_, i) => i * MOST_IDS)
  const parents = new Map<string, Port>()
  await eachOf(parts, async (at) => {
    for (const port of await ports.list({ ids: ids.slice(at, at + MOST_IDS) })) parents.set(port.id, port)
  })
  return parents
}

/** Whose pairs and trunks may have these: nobody wrote that down. Where all ports are in pools nobody is asked. */
async function carriersOf({ ports, trunks }: Neutron, unpooled: readonly Port[]): Promise<readonly Carrier[]> {
  if (unpooled.length === 0) return []
  const carriers: Carrier[] = []
  await eachOf([...new Set(unpooled.map((port) => port.networkId))], async (networkId) => {
    // Their trunks come with all others.
    carriers.push(...(await ports.list({ networkId })).map((port) => ({ ...port, trunk: undefined })))
  })
  const all = await trunks.list().catch((error: unknown) => {
    if (error instanceof OpenStackError && error.code === 'OPENSTACK_NOT_FOUND') return []
    throw error
  })
  return [
    ...carriers,
    ...all.map(({ id, portId, subports }) => {
      return { id: portId, networkId: '', addressPairs: [], trunk: { id, subports } }
    }),
  ]
}

async function listed<K extends Kind>(registry: Registry, kind: K): Promise<readonly Kinds[K][]> {
  return (await registry.list(kind)).objects.map(({ value }) => value)
}

function unseen(why: string): OutsideLook {
  return { ...NOT_LOOKED, notes: [`Neutron was not looked at: ${why}`] }
}

function silent(error: OpenStackError): OutsideLook {
  const finding = { ...NOWHERE, code: 'neutron-silent', object: 'Neutron', detail: sentenceOf(error) } as const
  return { ...NOT_LOOKED, findings: [finding] }
}
