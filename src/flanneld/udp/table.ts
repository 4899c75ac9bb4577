/**
 * Which machine has which subnet, for a packet's destination.
 * @module
 */
import { type Cidr, firstIp, type Ip, ipValue, prefixLength } from '../../network/model/address.ts'

/** A machine that has a subnet. */
export interface Remote {
  readonly subnet: Cidr
  readonly machine: Ip
}

/** Remotes by their subnets, of which no two overlap. */
export class RemoteTable {
  readonly #byLength: readonly (readonly [mask: number, machines: ReadonlyMap<number, Ip>])[]
  readonly #machines: ReadonlySet<Ip>

  constructor(remotes: readonly Remote[]) {
    const tables = new Map<number, Map<number, Ip>>()
    for (const { subnet, machine } of remotes) {
      const mask = maskOf(subnet)
      const table = tables.get(mask) ?? new Map<number, Ip>()
      tables.set(mask, table.set(Number(ipValue(firstIp(subnet))), machine))
    }
    this.#byLength = [...tables]
    this.#machines = new Set(remotes.map(({ machine }) => machine))
  }

  /** The machine that has an address, given as a number. */
  machineOf(address: number): Ip | undefined {
    for (const [mask, machines] of this.#byLength) {
      const machine = machines.get((address & mask) >>> 0)
      if (machine !== undefined) return machine
    }
    return undefined
  }

  /** Whether a machine may send in the name of an address: it is one of the machines, and nobody else has the address. */
  mayBeFrom(machine: string, source: number): boolean {
    const owner = this.machineOf(source)
    return this.#machines.has(machine as Ip) && (owner === undefined || owner === machine)
  }
}

/** Whether an address, given as a number, is in a subnet. */
export function isWithin(subnet: Cidr, address: number): boolean {
  return (address & maskOf(subnet)) >>> 0 === Number(ipValue(firstIp(subnet)))
}

function maskOf(subnet: Cidr): number {
  const length = prefixLength(subnet)
  return length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0
}
