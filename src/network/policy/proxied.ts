/**
 * Services that kube-proxy leads out of the pod networks. A pod's packet to one leaves the switch with the service's
 * address and does not come back with the endpoint's, as packets to pods do: so it is judged before it leaves, by where
 * it would go. With several endpoints all of them must be allowed: which one is chosen, nobody here knows.
 * @module
 */
import type { Flow } from '../../flow/flow.ts'
import { isPodAddress, type NodeContext } from '../context.ts'
import { familyOf, type Ip } from '../model/address.ts'
import type { Endpoint } from '../model/endpoint.ts'
import type { NetworkSet } from '../model/network-set.ts'
import type { Labels, Policy } from '../model/policy.ts'
import type { Protocol, Service } from '../model/service.ts'
import { flowsOf, ipPacket } from '../pipeline/build.ts'
import type { DropName } from '../pipeline/drops.ts'
import { type Backend, backendsOf } from '../service/backends.ts'
import type { ServiceCatalogue } from '../service/plan.ts'
import { judge } from './oracle.ts'
import { termsOfNumber } from './port-terms.ts'
import type { Subject, Subjects } from './subjects.ts'
import type { Decision } from './verdict.ts'

/** A service's port with endpoints outside the pod networks. */
interface Outward {
  readonly address: Ip
  readonly protocol: Protocol
  readonly port: number
  readonly backends: readonly Backend[]
}

/** A pod, and what policies say of its connections. */
export interface Caller {
  readonly labels: Labels
  readonly namespaceLabels: Labels
  readonly policies: readonly Policy[]
  readonly names: ReadonlyMap<string, readonly Ip[]>
  readonly sets: readonly NetworkSet[]
  /** Which policies there are is not known yet. */
  readonly isPending: boolean
}

/** A pod as services that lead outside have it call. */
export function callerOf(
  subjects: Subjects,
  subject: Subject,
  { names, sets }: Pick<Caller, 'names' | 'sets'>,
): Caller {
  const { namespace, labels = {}, namespaceLabels } = subject
  const spec = subjects.classOf(subject, 'egress')
  const policies = (spec?.policies ?? []).flatMap((key) => subjects.get(key) ?? [])
  const all = [...policies, ...subjects.firewallsOf(namespace)]
  return { labels, namespaceLabels, policies: all, names, sets, isPending: spec?.pending === true }
}

/** The services that lead outside where kube-proxy translates. */
export class ProxiedServices {
  readonly #context: () => NodeContext
  readonly #catalogue: ServiceCatalogue
  readonly #outward = new Map<string, readonly Outward[]>()

  constructor(context: () => NodeContext, catalogue: ServiceCatalogue) {
    this.#context = context
    this.#catalogue = catalogue
    this.lookAtAll()
  }

  /** Who translates, or where pods live, may be another. */
  lookAtAll(): void {
    this.#outward.clear()
    for (const { namespace, name } of this.#catalogue.services()) this.changed(`${namespace}/${name}`)
  }

  /** Whether there is no such service. */
  get isEmpty(): boolean {
    return this.#outward.size === 0
  }

  /** A service or its endpoints changed; returns whether that matters to anybody's policies. */
  changed(key: string): boolean {
    const service = this.#catalogue.service(key)
    const before = this.#outward.get(key)
    const { cluster } = this.#context()
    const after = service === undefined || cluster.services === 'weft' ? [] : this.#portsOf(key, service)
    if (after.length === 0) this.#outward.delete(key)
    else this.#outward.set(key, after)
    return JSON.stringify(before ?? []) !== JSON.stringify(after)
  }

  /** What keeps a pod from services that would lead it where it may not go. `key` is the fragment's. */
  flows(key: string, endpoint: Endpoint, caller: Caller): readonly Flow[] {
    const make = flowsOf(key)
    return [...this.#outward.values()].flat().flatMap((outward) => {
      const reason = caller.isPending ? 'policy-pending' : this.#refusal(outward, endpoint, caller)
      if (reason === undefined) return []
      const from = endpoint.addresses.filter((address) => familyOf(address) === familyOf(outward.address))
      return from.flatMap((address) =>
        termsOfNumber(outward.protocol, outward.port)
          .filter(({ eth_type }) => eth_type === ipPacket(familyOf(address)).eth_type)
          .map((term) => {
            const match = { ...term, ...ipPacket(familyOf(address), { from: address, to: outward.address }) }
            return make.end(reason, 'track', 160, { ...match, in_port: endpoint.ofport })
          }),
      )
    })
  }

  #portsOf(key: string, { clusterIps, ports }: Service): readonly Outward[] {
    const { cluster, self } = this.#context()
    return clusterIps.flatMap((address) =>
      ports.flatMap(({ name, protocol, port }) => {
        const all = backendsOf(
          this.#catalogue.slicesOf(key),
          { name, protocol },
          familyOf(address),
          'Cluster',
          self.node,
        )
        const backends = all.filter((backend) => !isPodAddress(cluster, backend.address))
        return backends.length === 0 ? [] : [{ address, protocol, port, backends }]
      }),
    )
  }

  #refusal({ protocol, backends }: Outward, endpoint: Endpoint, caller: Caller): DropName | undefined {
    const { namespace, pod: name, addresses } = endpoint
    const { labels, namespaceLabels, policies, names, sets } = caller
    const podNetworks = this.#context().cluster.networks.map(({ cidr }) => cidr)
    const pod = { namespace, name, uid: '', node: this.#context().self.node, addresses, labels }
    const namespaces = [{ name: namespace, uid: '', labels: namespaceLabels }]
    const world = { policies, namespaces, pods: [pod], nodes: [], podNetworks, names, sets }
    for (const { address, port } of backends) {
      const source = { type: 'pod', pod, address: addresses[0] ?? address } as const
      const { egress } = judge(world, { source, destination: { type: 'outside', address }, protocol, port })
      if (!egress.allowed) return reasonOf(egress)
    }
    return undefined
  }
}

function reasonOf(decision: Decision): DropName {
  if (decision.because === 'isolated') return 'egress-isolated'
  if (decision.because === 'firewall') return decision.by.length > 1 ? 'firewall-ambiguous' : 'firewall-unresolved'
  return decision.because === 'rule' && decision.rule.tier === 'firewall' ? 'firewall-denied' : 'egress-denied'
}
