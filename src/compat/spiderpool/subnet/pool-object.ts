/**
 * The SpiderIPPool that is made of a SpiderSubnet for an application, and how it is known again.
 * @module
 */
import type { KubeObject, ObjectMeta, OwnerReference } from '../../../kube/object.ts'
import { formatIpRange, type IpRange } from '../../../network/model/ip-range.ts'
import type { AddressPool } from '../../../network/model/pool.ts'
import { textAt } from '../../fields.ts'
import { clusterPlace, type MergePatch, objectOf } from '../../merge.ts'
import { routeOf } from '../ip-pool.ts'
import { cidrLabelOf, FINALIZER, POOL_CIDR_LABEL } from '../pool-status/dress.ts'
import { SPIDER_IP_POOLS, SPIDER_SUBNETS } from '../resources.ts'
import { APPLICATION_POOL_LABELS, labelsOf } from '../selection/application-pools.ts'
import { applicationLabels } from '../selection/owner.ts'
import type { Application } from './application.ts'
import type { WishedPool } from './wish.ts'

const UID_LABEL = 'ipam.spidernet.io/owner-application-uid'
const RECLAIM_LABEL = 'ipam.spidernet.io/ippool-reclaim'

/** The longest name that an object can have. */
const MAX_NAME = 253

/** A SpiderSubnet as it is looked at; its `spec` has a pool's fields. */
export interface Subnet {
  readonly metadata: ObjectMeta
  readonly value: AddressPool
}

/** The pool of an application, as it is known again. */
export interface ApplicationPool {
  /** As {@link applicationKey} writes it. */
  readonly application: string
  readonly wished: WishedPool
  /** Absent: whichever application of that name has it. */
  readonly uid?: string
  /** It goes with the application. */
  readonly isReclaimed: boolean
}

/** Whose pool an object with these labels is; undefined for one that was made for no application. */
export function applicationPoolIn(labels: Readonly<Record<string, string>> = {}): ApplicationPool | undefined {
  const { groupVersion, kind, namespace, name, interface: ifname, family, subnet } = APPLICATION_POOL_LABELS
  const parts = [groupVersion, kind, namespace, name, ifname, family, subnet].map((key) => textAt(labels, key))
  const [gv, of, inNamespace, named, at, version, from] = parts
  if (gv === undefined || of === undefined || inNamespace === undefined || named === undefined) return undefined
  if (at === undefined || from === undefined || (version !== 'IPv4' && version !== 'IPv6')) return undefined
  const uid = textAt(labels, UID_LABEL)
  return {
    application: `${gv}:${of}:${inNamespace}:${named}`,
    wished: { ifname: at, family: version === 'IPv4' ? 4 : 6, subnet: from },
    ...(uid === undefined ? {} : { uid }),
    isReclaimed: textAt(labels, RECLAIM_LABEL) === 'true',
  }
}

/** Why no pool can be made for an application: it is found by labels, and labels hold no more than this. */
export function nameProblem({ namespace, name }: Pick<Application, 'namespace' | 'name'>): string | undefined {
  return namespace.length > 63 || name.length > 63
    ? `a pool for ${name} could not be found again: its name is longer than the 63 characters of a label`
    : undefined
}

/** `auto4-demo-eth0-1a2b3`. */
export function poolNameOf({ name, uid }: Application, { ifname, family }: WishedPool): string {
  const end = `-${ifname}-${(uid.split('-').at(-1) ?? '').slice(0, 5)}`
  const head = `auto${family}-${name}`.slice(0, MAX_NAME - end.length)
  return `${head}${end}`
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, '-')
    .replace(/-+$/, '')
}

/** The labels of a pool for an application. What is kept for the next one of that name does not name this one's uid. */
export function poolLabels(
  app: Application,
  wished: WishedPool,
  isReclaimed: boolean,
): Readonly<Record<string, string | null>> {
  return {
    ...Object.fromEntries(labelsOf(app, app.namespace, wished)),
    [UID_LABEL]: isReclaimed ? app.uid : null,
    [RECLAIM_LABEL]: String(isReclaimed),
  }
}

/** A new pool for an application. Gateway and routes are the subnet's. */
export function newPool(
  name: string,
  app: Application,
  wished: WishedPool,
  isReclaimed: boolean,
  subnet: Subnet,
  ranges: readonly IpRange[],
): KubeObject {
  const { value } = subnet
  return objectOf(SPIDER_IP_POOLS, clusterPlace(name), {
    metadata: {
      labels: { ...poolLabels(app, wished, isReclaimed), [POOL_CIDR_LABEL]: cidrLabelOf(value.subnet) ?? null },
      ownerReferences: [ownerOf(subnet)],
      finalizers: [FINALIZER],
    },
    spec: {
      ipVersion: value.family,
      subnet: value.subnet,
      ips: ranges.map(formatIpRange),
      gateway: value.gateway ?? null,
      routes: value.routes.length === 0 ? null : value.routes.map(routeOf),
      podAffinity: { matchLabels: applicationLabels(app, { ...app, uid: app.uid }) },
    },
  })
}

/** The subnet as what owns its pools: they go with it. */
export function ownerOf({ metadata: { name, uid = '' } }: Subnet): OwnerReference {
  const { group, version, kind } = SPIDER_SUBNETS
  return { apiVersion: `${group}/${version}`, kind, name, uid, controller: true }
}

/** The merge patch that resizes an application's pool and makes it this application's; undefined: it is. */
export function poolPatch(
  current: { readonly labels?: Readonly<Record<string, string>> | undefined; readonly ranges: readonly IpRange[] },
  labels: Readonly<Record<string, string | null>>,
  ranges: readonly IpRange[],
): MergePatch | undefined {
  const isLabelled = Object.entries(labels).every(([key, value]) => (current.labels?.[key] ?? null) === value)
  const [before, after] = [current.ranges.map(formatIpRange), ranges.map(formatIpRange)]
  const isSized = before.join() === after.join()
  if (isLabelled && isSized) return undefined
  return {
    ...(isLabelled ? {} : { metadata: { labels } }),
    ...(isSized ? {} : { spec: { ips: after } }),
  }
}
