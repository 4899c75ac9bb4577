/**
 * Ports of a real Neutron that the rig's own controller prepares for a node, and that its agent gives to pods: networks of Neutron's with a
 * VM's port each, and what makes pods get an address of them.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { linkAdd, linkSet, openRtnl } from '../../src/linux/index.ts'
import { parseMac } from '../../src/network/model/address.ts'
import { type NodePorts, poolProblemOf } from '../../src/network/model/neutron.ts'
import type { Neutron } from '../../src/openstack/neutron/neutron.ts'
import { isAlive, until } from '../../src/playground/processes.ts'
import type { Cloud } from '../../test/openstack/cloud/cloud.ts'
import type { NetworkDriver } from '../../test/openstack/cloud/files.ts'
import type { Plugin, Sandbox } from './plugin.ts'
import { type Rig, TENANT } from './rig.ts'

/** What a cloud allows where nobody raised it: of each pool so many ports may be had. */
const MOST_PAIRS = 10
/** Of a run, by its process id: those of one that was killed are cleared by the next on the same cloud. */
const NETWORK = /^weft-bench-(\d+)-/
/** The NIC that pods' links are made on. */
const NIC = 'vm0'
const LABEL = 'bench-vm'
const PATIENCE_MS = 120_000

/** The pools of the rig's first node. Always `stop()` them. */
export class NeutronPools {
  readonly #rig: Rig
  readonly #node: string
  readonly neutron: Neutron
  readonly #networks: string[] = []
  readonly #pools: string[] = []

  /** Gives the controller its cloud, and marks the node as the one that has a VM's port. */
  static async start(rig: Rig, cloud: Cloud, driver: NetworkDriver): Promise<NeutronPools> {
    const { registry, cloudsFile } = rig
    const node = rig.node(0).name
    writeFileSync(cloudsFile, cloudsYaml(cloud, driver), { mode: 0o600 })
    // What is ours in Neutron is known by it: another run on the same cloud has another one.
    await registry.create('Namespace', 'kube-system', { name: 'kube-system', uid: randomUUID() })
    const found = await registry.get('Node', node)
    if (found === undefined) throw new Error(`there is no node ${node}`)
    await registry.update('Node', node, { ...found.value, labels: { [LABEL]: 'yes' } }, found.revision)
    plugNic(rig.ours())
    const neutron = cloud.client(driver, 'cni')
    for (const { id, name } of await neutron.networks.list({})) {
      const run = NETWORK.exec(name)?.[1]
      if (run !== undefined && !isAlive(Number(run))) await clear(neutron, id)
    }
    return new NeutronPools(rig, node, neutron)
  }

  private constructor(rig: Rig, node: string, neutron: Neutron) {
    this.#rig = rig
    this.#node = node
    this.neutron = neutron
  }

  /** A network with a subnet; its ID. It goes with all ports when these pools stop. */
  async network(name: string): Promise<string> {
    const { id } = await this.neutron.networks.create({ name: `weft-bench-${process.pid}-${name}` })
    this.#networks.push(id)
    const cidr = `10.83.${this.#networks.length}.0/24`
    await this.neutron.subnets.create({ networkId: id, name, cidr, hasDhcp: false })
    return id
  }

  /** A network that pods can ask for, with `min` ports ready, none made ahead of those, and none withdrawn when pods have gone. */
  async declare(name: string, min: number): Promise<void> {
    const network = await this.network(name)
    const vm = await this.neutron.ports.create({ networkId: network, name: `vm-${name}`, deviceId: randomUUID() })
    const mac = parseMac(vm.mac)
    if (mac === undefined) throw new Error(`port ${vm.id} has no MAC address`)
    const ipam = { type: 'ipam-neutron', neutronConf: { networks: [network] } }
    const config = JSON.stringify({ cniVersion: '1.0.0', name, type: 'macvlan', master: NIC, ipam })
    const { registry } = this.#rig
    await registry.create('AttachmentDefinition', `kube-system/${name}`, { namespace: 'kube-system', name, config })
    await registry.create('NeutronNetwork', name, {
      ...{ name, network, mode: 'pair', parent: { mac } },
      pool: { min, max: MOST_PAIRS, batch: MOST_PAIRS },
      nodes: [{ key: LABEL, operator: 'Exists', values: [] }],
    })
    this.#pools.push(name)
    await this.has(name, min)
  }

  /** Waits until the node has exactly so many ports of a network, those of pods included. */
  async has(name: string, n: number): Promise<void> {
    let last: NodePorts | undefined
    const holds = async (): Promise<boolean> => {
      last = (await this.#rig.registry.get('NodePorts', this.#node))?.value
      return last?.pools.find(({ network }) => network === name)?.ports.length === n
    }
    if (await until(holds, PATIENCE_MS)) return
    const there = last?.pools.find(({ network }) => network === name)?.ports.length ?? 'no'
    const why = last === undefined ? undefined : poolProblemOf(last, name)?.problem
    throw new Error(
      `${PATIENCE_MS / 1000} s and ${there} instead of ${n} ports of ${name}: ${why ?? 'nobody says why'}`,
    )
  }

  /** The agent hears of a pod before its runtime calls, as it does of every pod. */
  async announce({ id }: Sandbox, network?: string): Promise<void> {
    const wishes = network === undefined ? {} : { 'v1.multus-cni.io/default-network': `kube-system/${network}` }
    const pod = { namespace: TENANT, name: id, uid: `uid-${id}`, node: this.#node, addresses: [], wishes }
    await this.#rig.registry.create('Pod', `${TENANT}/${id}`, pod)
  }

  /** Removes everything from Neutron. */
  async stop(): Promise<void> {
    for (const name of this.#pools) await this.#rig.registry.delete('NeutronNetwork', name)
    for (const networkId of this.#networks) await clear(this.neutron, networkId)
  }
}

/** A batch of the controller's may be on its way still. */
async function clear(neutron: Neutron, networkId: string): Promise<void> {
  for (let left = 5; ; left -= 1) {
    for (const { id } of await neutron.ports.list({ networkId })) await neutron.ports.delete(id)
    try {
      return void (await neutron.networks.delete(networkId))
    } catch (error) {
      if (left === 0) throw error
    }
    await Bun.sleep(1_000)
  }
}

/** JSON is YAML. */
function cloudsYaml(cloud: Cloud, driver: NetworkDriver): string {
  const variables = cloud.variables(driver, 'cni')
  const auth = ['auth_url', 'username', 'password', 'project_name', 'user_domain_name', 'project_domain_name'].map(
    (key) => [key, variables[`OS_${key.toUpperCase()}`]],
  )
  return JSON.stringify({ clouds: { bench: { auth: Object.fromEntries(auth), region_name: driver } } })
}

function plugNic({ node }: Plugin): void {
  using rtnl = openRtnl({ nsFd: node })
  linkAdd(rtnl, { kind: 'veth', name: NIC, up: true, peer: { name: `${NIC}-wire` } })
  linkSet(rtnl, `${NIC}-wire`, { up: true })
}
