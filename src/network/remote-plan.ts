/**
 * Of which tenant the pods of other nodes are, for packets that go there without a tunnel: a fragment for each of those that
 * pods of this node may talk to. Where everything takes the tunnel, or all pods are of one tenant, there is nothing.
 * @module
 */
import { isPodAddress, type NodeContext } from './context.ts'
import { isDirect } from './fabric/way.ts'
import type { Fragment } from './fragments/fragment.ts'
import { remotePodFragment, remotePodKey } from './fragments/remote-pod.ts'
import type { Ip } from './model/address.ts'
import type { Pod } from './model/pod.ts'
import { GLOBAL_VNI } from './model/tenant.ts'

/** What it works with. */
export interface RemotePodsParts {
  context(): NodeContext
  vniOf(namespace: string): number | undefined
  /** Whether a tenant has pods on this node. */
  isHere(vni: number): boolean
  /** Takes the fragments that change. */
  set(key: string, fragment: Fragment | undefined): void
}

interface RemotePod {
  readonly namespace: string
  readonly addresses: readonly Ip[]
}

/** Pods of other nodes. An event touches the pods that it is about. */
export class RemotePods {
  readonly #parts: RemotePodsParts
  /** By `<namespace>/<name>`. */
  readonly #pods = new Map<string, RemotePod>()
  readonly #podsIn = new Map<string, Set<string>>()
  /** The tenant that a namespace's pods were planned for. */
  readonly #vnis = new Map<string, number>()
  readonly #namespacesOf = new Map<number, Set<string>>()

  constructor(parts: RemotePodsParts) {
    this.#parts = parts
  }

  /** A pod of whichever node appeared or changed. */
  putPod({ namespace, name, node, addresses }: Pod): void {
    const key = `${namespace}/${name}`
    if (node === this.#parts.context().self.node || addresses.length === 0) {
      this.removePod(key)
      return
    }
    this.#pods.set(key, { namespace, addresses })
    into(this.#podsIn, namespace, key)
    this.tenantChanged(namespace, [key])
  }

  /** The pod goes by its `<namespace>/<name>`. */
  removePod(key: string): void {
    const pod = this.#pods.get(key)
    if (pod === undefined) return
    this.#pods.delete(key)
    outOf(this.#podsIn, pod.namespace, key)
    this.#parts.set(remotePodKey(key), undefined)
  }

  /** A namespace may have another tenant. */
  tenantChanged(namespace: string, pods: Iterable<string> = this.#podsIn.get(namespace) ?? []): void {
    const before = this.#vnis.get(namespace)
    const vni = this.#parts.vniOf(namespace)
    if (before !== vni) {
      if (before !== undefined) outOf(this.#namespacesOf, before, namespace)
      if (vni === undefined) this.#vnis.delete(namespace)
      else {
        this.#vnis.set(namespace, vni)
        into(this.#namespacesOf, vni, namespace)
      }
    }
    for (const key of before === vni ? pods : (this.#podsIn.get(namespace) ?? [])) this.#plan(key)
  }

  /** A tenant got its first pod on this node, or lost the last. */
  presenceChanged(vni: number): void {
    for (const namespace of this.#namespacesOf.get(vni) ?? [])
      for (const key of this.#podsIn.get(namespace) ?? []) this.#plan(key)
  }

  /** The node's context is another. */
  replan(): void {
    for (const key of this.#pods.keys()) this.#plan(key)
  }

  #plan(key: string): void {
    this.#parts.set(remotePodKey(key), this.#fragmentOf(key))
  }

  #fragmentOf(key: string): Fragment | undefined {
    const pod = this.#pods.get(key)
    const { cluster } = this.#parts.context()
    if (pod === undefined || !isDirect(cluster) || cluster.tenancy !== 'multitenant') return undefined
    const vni = this.#vnis.get(pod.namespace)
    if (vni === undefined || (vni !== GLOBAL_VNI && !this.#parts.isHere(vni))) return undefined
    // A pod on its node's own network is not behind the switch.
    const addresses = pod.addresses.filter((address) => isPodAddress(cluster, address))
    return addresses.length === 0 ? undefined : remotePodFragment(key, addresses, vni)
  }
}

function into<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const found = map.get(key)
  if (found === undefined) map.set(key, new Set([value]))
  else found.add(value)
}

function outOf<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const found = map.get(key)
  found?.delete(value)
  if (found?.size === 0) map.delete(key)
}
