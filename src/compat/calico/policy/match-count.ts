/**
 * How many rows of a switch a rule makes: ports of both ends and networks of its own are multiplied with each other.
 * @module
 */
import { prefixLength } from '../../../network/model/address.ts'
import type { AddressRange, PolicyRule, PortMatch, PortSpan } from '../../../network/model/policy.ts'
import { portMasks } from '../../../network/model/port-masks.ts'

/** At most so many for one peer; counted without making them. */
export function matchCount({ ports, sourcePorts, own }: PolicyRule): number {
  return product(count(ports, portRows), count(sourcePorts, spanRows), count(own, rangeRows))
}

function product(...factors: readonly number[]): number {
  return factors.reduce((all, one) => all * one, 1)
}

function count<T>(items: readonly T[] | undefined, rowsOf: (item: T) => number): number {
  return items === undefined ? 1 : items.reduce((sum, item) => sum + rowsOf(item), 0)
}

function portRows(port: PortMatch): number {
  return port.type === 'numbers' ? spanRows(port) : 1
}

function spanRows({ from, to }: PortSpan): number {
  return portMasks(from, to).length
}

/** What an exception is cut out of is halved once for each bit that it is longer. */
function rangeRows({ range, except }: AddressRange): number {
  return except.reduce((sum, one) => sum + Math.max(0, prefixLength(one) - prefixLength(range)), 1)
}
