/**
 * Tells authors of SpiderIPPools, SpiderSubnets and SpiderReservedIPs what is wrong with them. Who gives addresses out finds
 * the same by itself: nothing here is needed for that.
 * @module
 */
import { ipPoolBinding } from '../../compat/spiderpool/ip-pool.ts'
import { reservedIpBinding } from '../../compat/spiderpool/reserved-ip.ts'
import { SPIDER_IP_POOLS, SPIDER_RESERVED_IPS, SPIDER_SUBNETS } from '../../compat/spiderpool/resources.ts'
import { ADDRESS_CLAIMS, addressClaimBinding, CLAIM_LABELS, labelValue } from '../../compat/weft/address-claim.ts'
import type { KubeObject } from '../../kube/object.ts'
import { WorkQueue } from '../../kube/queue.ts'
import type { Picked } from '../../kube/reflector.ts'
import type { AddressPool, ReservedAddresses } from '../../network/model/pool.ts'
import { decodeAddressClaim, decodeAddressPool, decodeReservedAddresses } from '../../network/model/validate-pool.ts'
import type { MapChange, SourceReflection } from '../../registry/reflect.ts'
import { Pace } from '../claims/pace.ts'
import { Complaints } from '../complaints.ts'
import { follow, type SpiderpoolOptions } from './options.ts'
import { giveTheSame, outsideOfSubnets, refusedPools, refusedSubnets, strandedText } from './pool-words.ts'
import { type Subject, Warnings } from './warnings.ts'

/** All pools and subnets are judged together. */
const ALL = ''

const REFUSED_POOL = 'RefusedPool'
const REFUSED_SUBNET = 'RefusedSubnet'
const REFUSED_RESERVED = 'RefusedReservedIP'
const OUTSIDE = 'OutsideOfSubnet'
const STRANDED = 'AddressesInUseRemoved'

/** Tells of pools until `signal` aborts. Does not reject for anything that the API does. */
export async function runPools(options: Omit<SpiderpoolOptions, 'attachments' | 'cluster'>): Promise<void> {
  const { api, signal, log, events } = options
  const complaints = new Complaints(log)
  const warnings = new Warnings(events, log)
  const pace = new Pace()
  let isReady = false
  const judged = queueOf((): Promise<number | undefined> => Promise.resolve(judge()))
  const looked = queueOf(async (name) => {
    const entry = pools.store.get(name)?.value
    if (entry?.pool === undefined) return undefined
    const labelSelector = `${CLAIM_LABELS.pool}=${labelValue(name)}`
    const { items } = await api.list(ADDRESS_CLAIMS, { labelSelector })
    const claims = items.flatMap((item) => {
      const decoded = decodeAddressClaim(addressClaimBinding.decode(item))
      return decoded.ok && decoded.value.pool === name ? [decoded.value] : []
    })
    warnings.say(entry.about, STRANDED, strandedText(entry.pool, claims))
    return undefined
  })
  const onChange = (): void => {
    if (isReady) judged.add(ALL)
  }
  const pools = follow(options, { resource: SPIDER_IP_POOLS, pick: poolIn }, complaints, (change) => {
    if (isReady && isOfOtherAddresses(change)) looked.add(change.object.name)
    onChange()
  })
  const subnets = follow(options, { resource: SPIDER_SUBNETS, pick: poolIn }, complaints, onChange)
  const reserved = follow(options, { resource: SPIDER_RESERVED_IPS, pick: reservedIn }, complaints, onChange)
  await Promise.all([pools.synced, subnets.synced, reserved.synced])
  isReady = true
  judged.add(ALL)
  await Promise.all([pools.done, subnets.done, reserved.done, judged.done, looked.done])

  function queueOf(work: (name: string) => Promise<number | undefined>): WorkQueue {
    return new WorkQueue({
      signal,
      work,
      concurrency: 1,
      onError: (name, error) => complaints.say(`cannot look at the SpiderIPPool ${name}`, error),
    })
  }

  /** A number: once more after so many milliseconds. Many pools at once are judged together. */
  function judge(): number | undefined {
    const pause = pace.pause(ALL, pools.store.size)
    if (pause > 0) return pause
    pace.wrote(ALL, '')
    const [allPools, allSubnets] = [poolsOf(pools), poolsOf(subnets)]
    tell(pools, REFUSED_POOL, refusedPools(allPools))
    tell(pools, OUTSIDE, outsideOfSubnets(allPools, allSubnets))
    tell(subnets, REFUSED_SUBNET, refusedSubnets(allSubnets))
    for (const { value } of reserved.store.values())
      warnings.say(value.about, REFUSED_RESERVED, value.reserved?.problem ?? '')
    return undefined
  }

  function tell(objects: Pools, reason: string, texts: ReadonlyMap<string, string>): void {
    for (const { name, value } of objects.store.values()) warnings.say(value.about, reason, texts.get(name) ?? '')
  }
}

type Pools = SourceReflection<Picked<PoolEntry>>

/** What is kept of a pool's or a subnet's object. */
interface PoolEntry {
  readonly about: Subject
  /** As far as it can be read. */
  readonly pool?: AddressPool
}

function poolIn(object: KubeObject): PoolEntry {
  const decoded = decodeAddressPool(ipPoolBinding.decode(object))
  return { about: subjectOf(object), ...(decoded.ok ? { pool: decoded.value } : {}) }
}

function reservedIn(object: KubeObject): { readonly about: Subject; readonly reserved?: ReservedAddresses } {
  const decoded = decodeReservedAddresses(reservedIpBinding.decode(object))
  return { about: subjectOf(object), ...(decoded.ok ? { reserved: decoded.value } : {}) }
}

function subjectOf({ apiVersion, kind, metadata: { name, uid } }: KubeObject): Subject {
  return { apiVersion, kind, metadata: { name, ...(uid === undefined ? {} : { uid }) } }
}

function poolsOf({ store }: Pools): readonly AddressPool[] {
  return [...store.values()].flatMap(({ value: { pool } }) => pool ?? [])
}

/** Whether a pool that was known gives other addresses out than before. */
function isOfOtherAddresses({ type, object, before }: MapChange<Picked<PoolEntry>>): boolean {
  const [after, former] = [object.value.pool, before?.value.pool]
  if (type === 'delete' || after === undefined || former === undefined) return false
  return after.problem === undefined && !giveTheSame(after, former)
}
