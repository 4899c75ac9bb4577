import type { Ip } from '../../../network/model/address.ts'
import type { AddressClaim } from '../../../network/model/pool.ts'

/** By what claims are looked for. */
export type ClaimKey =
  /** A sandbox's interface, on this node. */
  | { readonly containerId: string; readonly ifname: string }
  /** A pod's interface, on this node. */
  | { readonly podUid: string; readonly ifname: string }
  /** Kept for pods of this name, wherever they were. */
  | { readonly namespace: string; readonly pod: string; readonly ifname: string }

/** Claims by what this node looks for them by. Those of other nodes that are for one pod alone are in none of it. */
export class ClaimIndex {
  readonly #node: string
  readonly #addresses = new Map<string, Set<Ip>>()

  constructor(node: string) {
    this.#node = node
  }

  addresses(key: ClaimKey): readonly Ip[] {
    return [...(this.#addresses.get(textOf(key)) ?? [])]
  }

  replace(before: AddressClaim | undefined, after: AddressClaim | undefined): void {
    for (const key of this.#keysOf(before)) {
      const group = this.#addresses.get(key)
      if (before === undefined || group?.delete(before.address) !== true) continue
      if (group.size === 0) this.#addresses.delete(key)
    }
    for (const key of this.#keysOf(after)) {
      const group = this.#addresses.get(key)
      if (after === undefined) continue
      if (group === undefined) this.#addresses.set(key, new Set([after.address]))
      else group.add(after.address)
    }
  }

  #keysOf(claim: AddressClaim | undefined): readonly string[] {
    if (claim === undefined) return []
    const { namespace, pod, podUid, containerId, ifname, node, isSticky } = claim
    if (node !== this.#node && !isSticky) return []
    return [
      ...(node === this.#node ? [textOf({ containerId, ifname }), textOf({ podUid, ifname })] : []),
      ...(isSticky ? [textOf({ namespace, pod, ifname })] : []),
    ]
  }
}

/** No part has a slash, but for the whole of what came before. */
function textOf(key: ClaimKey): string {
  if ('containerId' in key) return `sandbox ${key.containerId}/${key.ifname}`
  if ('podUid' in key) return `pod ${key.podUid}/${key.ifname}`
  return `name ${key.namespace}/${key.pod}/${key.ifname}`
}
