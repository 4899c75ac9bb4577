/**
 * Machines as policies see them, in the order of their addresses: those in a network are found without a look at others.
 * @module
 */
import { gatewayOf } from '../../ipam/pool.ts'
import { type Cidr, type Family, familyOf, firstIp, type Ip, ipValue, lastIp } from '../model/address.ts'
import type { NodeNetwork } from '../model/node.ts'
import { firstFrom, type Placed } from './net-index.ts'

/** A machine as policies see it. */
export interface MachineAddresses {
  readonly node: string
  /** What others know it by. */
  readonly addresses: readonly Ip[]
  /** What its packets to pods come from. */
  readonly gateways: readonly Ip[]
}

interface Place extends Placed {
  readonly machine: MachineAddresses
}

/** The machines of the cluster. */
export class Machines {
  readonly #byNode = new Map<string, MachineAddresses>()
  readonly #ordered: { readonly [F in Family]: Place[] } = { 4: [], 6: [] }

  put({ node, addresses, ranges }: NodeNetwork): MachineAddresses {
    this.remove(node)
    const machine = { node, addresses, gateways: ranges.map(gatewayOf) }
    this.#byNode.set(node, machine)
    for (const address of addresses) {
      const [places, value] = [this.#ordered[familyOf(address)], ipValue(address)]
      places.splice(firstFrom(places, value), 0, { value, machine })
    }
    return machine
  }

  remove(node: string): void {
    const machine = this.#byNode.get(node)
    if (machine === undefined) return
    this.#byNode.delete(node)
    for (const address of machine.addresses) {
      const [places, value] = [this.#ordered[familyOf(address)], ipValue(address)]
      // Others may say that they have the same address.
      let index = firstFrom(places, value)
      while (index < places.length && places[index]?.machine !== machine) index += 1
      places.splice(index, 1)
    }
  }

  all(): Iterable<MachineAddresses> {
    return this.#byNode.values()
  }

  /** Those that have an address in one of these networks, each once. */
  in(nets: readonly Cidr[]): ReadonlySet<MachineAddresses> {
    const found = new Set<MachineAddresses>()
    for (const net of nets) {
      const [places, last] = [this.#ordered[familyOf(net)], ipValue(lastIp(net))]
      let index = firstFrom(places, ipValue(firstIp(net)))
      for (let place = places[index]; place !== undefined && place.value <= last; place = places[index]) {
        found.add(place.machine)
        index += 1
      }
    }
    return found
  }
}
