/**
 * Random groups that a switch accepts.
 * @module
 */
import fc from 'fast-check'
import type { Bucket, Group } from '../flow.ts'
import { arbitraryBucketAction } from './arbitraries.ts'

const bucketActions = fc.array(arbitraryBucketAction, { maxLength: 4 })
const watchPort = fc.integer({ min: 1, max: 60000 })
const plainBucket = fc.record({ actions: bucketActions })

/** Buckets without their ids; those of a failover group must watch something. */
const BUCKETS: { readonly [type in Group['type']]: fc.Arbitrary<Omit<Bucket, 'id'>> } = {
  all: plainBucket,
  indirect: plainBucket,
  fast_failover: fc.record({ actions: bucketActions, watchPort }),
  select: fc.record(
    { actions: bucketActions, watchPort, weight: fc.nat({ max: 0xffff }) },
    { requiredKeys: ['actions'] },
  ),
}

const HASHED = ['ipv4_src', 'ipv4_dst', 'ipv6_src', 'ipv6_dst', 'tcp_src', 'udp_dst', 'sctp_src', 'eth_src'] as const
const selection: fc.Arbitrary<NonNullable<Group['selection']>> = fc.oneof(
  fc.constantFrom({ method: 'dp_hash' } as const, { method: 'hash' } as const),
  fc.subarray([...HASHED]).map((fields) => ({ method: 'hash' as const, fields })),
)

/** A random group that Open vSwitch takes over OpenFlow 1.5. */
export const arbitraryGroup: fc.Arbitrary<Group> = fc
  .constantFrom<Group['type']>('all', 'select', 'indirect', 'fast_failover')
  .chain((type): fc.Arbitrary<Group> => {
    const limits = type === 'indirect' ? { minLength: 1, maxLength: 1 } : { maxLength: 5 }
    const ids = fc.uniqueArray(fc.nat({ max: 0xffffff00 }), limits)
    const buckets = ids.chain((all) =>
      fc.tuple(...all.map((id) => BUCKETS[type].map((bucket): Bucket => ({ id, ...bucket })))),
    )
    const id = fc.nat({ max: 0xffffff00 })
    const group = { id, type: fc.constant(type), buckets }
    return type === 'select'
      ? fc.record({ ...group, selection }, { requiredKeys: ['id', 'type', 'buckets'] })
      : fc.record(group)
  })
