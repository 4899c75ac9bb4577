/**
 * What a pod's address out of OpenStack costs where ports are prepared: ADD with a port at hand, and with one that has to be asked for,
 * beside ADD out of the node's own range. The bench is the controller; no cloud is asked, as it is on a pod's way in.
 * @module
 */
import { linkAdd, linkSet, openRtnl } from '../../src/linux/index.ts'
import { cidr, ip, type Mac } from '../../src/network/model/address.ts'
import type { NodePorts, PooledPort } from '../../src/network/model/neutron.ts'
import { reflect } from '../../src/registry/reflector.ts'
import { median, type Result } from '../result.ts'
import { call, type Plugin, type Sandbox } from '../rig/plugin.ts'
import { type Rig, TENANT } from '../rig/rig.ts'

/** The NIC that is the VM's port. */
const NIC = 'vm0'
const NIC_MAC = 'fa:16:3e:00:00:01' as Mac
const PAUSE_MS = 10
const WARM_UP = 3
const NETWORKS = { warm: '782ec9ac-44f9-4318-8c67-a2fed2ccca4f', cold: '882ec9ac-44f9-4318-8c67-a2fed2ccca4f' } as const
type Pool = keyof typeof NETWORKS

/** ADD p50 of each, in turn. */
export async function measureOpenStackPools(rig: Rig, rounds: number): Promise<readonly Result[]> {
  const node = rig.node(0)
  plugNic(rig.ours().node)
  const ending = new AbortController()
  const controller = new Controller(rig, node.name)
  await controller.prepare(rounds + WARM_UP)
  const done = controller.serve(ending.signal)
  try {
    const samples = { range: [] as number[], warm: [] as number[], cold: [] as number[] }
    for (let round = 0; round < rounds + WARM_UP; round += 1) {
      const counts = round >= WARM_UP
      for (const kind of ['range', 'warm', 'cold'] as const) {
        const [sandbox] = rig.sandboxes(1)
        if (sandbox === undefined) continue
        if (kind !== 'range') await announcePod(rig, node.name, sandbox, kind)
        const ms = await added(rig.ours(), sandbox)
        if (counts) samples[kind].push(ms)
      }
    }
    const range = median(samples.range)
    const peerName = 'ADD out of the node’s range'
    return [
      {
        what: 'ADD with a port of OpenStack at hand',
        unit: 'ms',
        ours: median(samples.warm),
        peer: range,
        peerName,
        target: { of: 'ratio', atMost: 1.2 },
        note: `${rounds} calls each, in turn; a macvlan link with ipam-neutron, against an OVS port with isolation flows`,
      },
      {
        what: 'ADD with a port that has to be asked for',
        unit: 'ms',
        ours: median(samples.cold),
        peer: range,
        peerName,
        note: 'asked for, prepared by somebody who takes no time for it, and heard of; Neutron’s own time comes on top (openstack)',
      },
    ]
  } finally {
    ending.abort()
    await done
  }
}

/** Prepares ports as the controller does: some ahead, others when they are wanted. */
class Controller {
  readonly #rig: Rig
  readonly #node: string
  #made = 0
  #ports: Readonly<Record<Pool, readonly PooledPort[]>> = { warm: [], cold: [] }

  constructor(rig: Rig, node: string) {
    this.#rig = rig
    this.#node = node
  }

  async prepare(count: number): Promise<void> {
    for (const name of Object.keys(NETWORKS) as Pool[]) {
      const ipam = { type: 'ipam-neutron', neutronConf: { networks: [NETWORKS[name]] } }
      const config = JSON.stringify({ cniVersion: '1.0.0', name, type: 'macvlan', master: NIC, ipam })
      const definition = { namespace: 'kube-system', name, config }
      await this.#rig.registry.create('AttachmentDefinition', `kube-system/${name}`, definition)
    }
    this.#ports = { warm: Array.from({ length: count }, () => this.#port()), cold: [] }
    await this.#rig.registry.create('NodePorts', this.#node, this.#value())
  }

  /** Makes a port for whoever waits, until `signal` aborts. */
  async serve(signal: AbortSignal): Promise<void> {
    let writing = Promise.resolve()
    const { done } = reflect(this.#rig.registry, 'PortUse', {
      name: this.#node,
      signal,
      onChange: ({ object }) => {
        const { wants, leased } = object.value
        const free = this.#ports.cold.filter(({ id }) => !leased.some((one) => one.id === id)).length
        if (!wants.some(({ network }) => network === 'cold') || free > 0) return
        writing = writing.then(() => this.#addCold())
      },
    })
    await done
    await writing
  }

  async #addCold(): Promise<void> {
    this.#ports = { ...this.#ports, cold: [...this.#ports.cold, this.#port()] }
    const found = await this.#rig.registry.get('NodePorts', this.#node)
    await this.#rig.registry.update('NodePorts', this.#node, this.#value(), found?.revision ?? 0)
  }

  #port(): PooledPort {
    this.#made += 1
    const address = ip(`10.83.${this.#made >> 8}.${this.#made & 255}`)
    const mac = `fa:16:3e:01:${hex(this.#made >> 8)}:${hex(this.#made & 255)}` as Mac
    return { id: `port-${this.#made}`, mac, addresses: [{ address, subnetId: 's' }] }
  }

  #value(): NodePorts {
    const pools = (Object.keys(NETWORKS) as Pool[]).map((network) => ({
      ...{ network, networkId: NETWORKS[network], mode: 'pair' as const, mtu: 1442, groups: [] },
      parent: { portId: 'vm', mac: NIC_MAC },
      subnets: [{ id: 's', cidr: cidr('10.83.0.0/16'), routes: [], nameservers: [] }],
      ports: this.#ports[network],
    }))
    return { node: this.#node, pools, problems: [] }
  }
}

/** The agent hears of a pod before its runtime calls, as it does of every pod. */
async function announcePod(rig: Rig, node: string, { id }: Sandbox, network: Pool): Promise<void> {
  const wishes = { 'v1.multus-cni.io/default-network': `kube-system/${network}` }
  const pod = { namespace: TENANT, name: id, uid: `uid-${id}`, node, addresses: [], wishes }
  await rig.registry.create('Pod', `${TENANT}/${id}`, pod)
}

async function added(plugin: Plugin, sandbox: Sandbox): Promise<number> {
  await Bun.sleep(PAUSE_MS)
  return (await call(plugin, 'ADD', sandbox)).ms
}

function plugNic(nsFd: number): void {
  using rtnl = openRtnl({ nsFd })
  linkAdd(rtnl, { kind: 'veth', name: NIC, mac: NIC_MAC, up: true, peer: { name: `${NIC}-wire` } })
  linkSet(rtnl, `${NIC}-wire`, { up: true })
}

function hex(value: number): string {
  return value.toString(16).padStart(2, '0')
}
