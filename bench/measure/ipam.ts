/**
 * Leases loaded into a pool at an agent's start, and one allocation in pools of any size.
 * @module
 */
import { AddressPool } from '../../src/ipam/pool.ts'
import { cidr, formatIp, type Ip, ipValue } from '../../src/network/model/address.ts'
import { median, type Result } from '../result.ts'

const LEASES = 1_000_000
const ALLOCATIONS = 10_000

/** Loading and allocating. Addresses are made before the clock runs. */
export function measureIpam(quick: boolean): readonly Result[] {
  const count = quick ? LEASES / 10 : LEASES
  const first = ipValue('10.0.0.2' as Ip)
  const leased = Array.from({ length: count }, (_, i) => formatIp(4, first + BigInt(i)))
  const pool = new AddressPool(cidr('10.0.0.0/8'))
  const started = performance.now()
  for (const address of leased) pool.mark(address)
  const seconds = (performance.now() - started) / 1000
  return [
    {
      what: `${count.toLocaleString('en')} leases loaded into a /8`,
      unit: 's',
      ours: seconds,
      target: { of: 'ours', atMost: 1 },
    },
    {
      what: 'one allocation, /8 with those leases',
      unit: 'µs',
      ours: allocate(pool),
      target: { of: 'ours', atMost: 50 },
    },
    {
      what: 'one allocation, /64',
      unit: 'µs',
      ours: allocate(new AddressPool(cidr('fd00:1:2:3::/64'))),
      target: { of: 'ours', atMost: 50 },
    },
  ]
}

function allocate(pool: AddressPool): number {
  const samples = Array.from({ length: ALLOCATIONS }, () => {
    const started = performance.now()
    pool.allocate(0)
    return (performance.now() - started) * 1000
  })
  return median(samples)
}
