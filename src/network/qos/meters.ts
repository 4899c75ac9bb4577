/**
 * The meters of endpoints. Open vSwitch takes no changes of meters in a bundle: those that flows are about to name come
 * before it, those that no flow names any more go after it.
 * @module
 */
import type { Meter } from '../../flow/flow.ts'
import { FIRST_ENDPOINT_PORT, LAST_ENDPOINT_PORT } from '../pipeline/stages.ts'

/** What turns some meters into others. */
export interface MeterDiff {
  readonly add: readonly Meter[]
  readonly modify: readonly Meter[]
  readonly remove: readonly number[]
}

/** What turns `actual` into `desired`. Meters that are no endpoint's are left alone. */
export function diffMeters(actual: Iterable<Meter>, desired: Iterable<Meter>): MeterDiff {
  const add = new Map<number, Meter>()
  for (const meter of desired) add.set(meter.id, meter)
  const modify: Meter[] = []
  const remove: number[] = []
  for (const meter of actual) {
    if (!isEndpointMeter(meter)) continue
    const wanted = add.get(meter.id)
    add.delete(meter.id)
    if (wanted === undefined) remove.push(meter.id)
    else if (!sameMeter(wanted, meter)) modify.push(wanted)
  }
  return { add: [...add.values()], modify, remove }
}

/** A meter that is an endpoint's has the number of its port. */
function isEndpointMeter({ id }: Meter): boolean {
  return id >= FIRST_ENDPOINT_PORT && id <= LAST_ENDPOINT_PORT
}

function sameMeter(a: Meter, b: Meter): boolean {
  return a.unit === b.unit && a.rate === b.rate && a.burst === b.burst
}
