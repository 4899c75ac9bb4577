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
    if (before !== undefined && this.#isLookedFor(before)) this.#remove(before)
    if (after !== undefined && this.#isLookedFor(after)) this.#add(after)
  }

  #isLookedFor({ node, isSticky }: AddressClaim): boolean {
    return isSticky || node === this.#node
  }

  #remove(claim: AddressClaim): void {
    for (const key of this.#keysOf(claim)) {
      const group = this.#addresses.get(key)
      group?.delete(claim.address)
      if (group?.size === 0) this.#addresses.delete(key)
    }
  }

  #add(claim: AddressClaim): void {
    for (const key of this.#keysOf(claim)) {
      const group = this.#addresses.get(key)
      if (group === undefined) this.#addresses.set(key, new Set([claim.address]))
      else group.add(claim.address)
    }
  }

  #keysOf({ namespace, pod, podUid, containerId, ifname, node, isSticky }: AddressClaim): readonly string[] {
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
