/**
 * What Spiderpool's webhook adds to objects as they are made, added after the fact: labels that tools select by, the
 * family that people leave out, and the finalizer that keeps a pool while somebody has an address of it.
 * @module
 */
import type { ObjectMeta } from '../../../kube/object.ts'
import { type Cidr, familyOf, parseCidr } from '../../../network/model/address.ts'
import { at, textAt } from '../../fields.ts'
import type { MergePatch } from '../../merge.ts'

/** On everything that is not to go while it is used. */
export const FINALIZER = 'spiderpool.spidernet.io'

/** Labels by which pools and subnets of one network are found. */
export const POOL_CIDR_LABEL = 'ipam.spidernet.io/ippool-cidr'
export const SUBNET_CIDR_LABEL = 'ipam.spidernet.io/subnet-cidr'

/** What is looked at of an object. */
export interface Dressed {
  readonly metadata: ObjectMeta
  readonly spec?: unknown
}

/**
 * The merge patch that gives a SpiderIPPool or SpiderSubnet what it lacks; undefined when it lacks nothing. One that is
 * being deleted loses its finalizer once it is unused. Lists in it are whole: the patch must name the revision it is of.
 */
export function dress(object: Dressed, cidrLabel: string, isUsed: boolean): MergePatch | undefined {
  const { labels = {}, finalizers = [], deletionTimestamp } = object.metadata
  if (deletionTimestamp !== undefined) {
    if (isUsed || !finalizers.includes(FINALIZER)) return undefined
    return { metadata: { finalizers: finalizers.filter((one) => one !== FINALIZER) } }
  }
  const subnet = parseCidr(textAt(object, 'spec', 'subnet') ?? '')
  const label = subnet === undefined ? undefined : cidrLabelOf(subnet)
  const isLabelled = label === undefined || labels[cidrLabel] === label
  const isGuarded = finalizers.includes(FINALIZER)
  const hasFamily = subnet === undefined || at(object, 'spec', 'ipVersion') !== undefined
  if (isLabelled && isGuarded && hasFamily) return undefined
  return {
    metadata: {
      ...(isLabelled ? {} : { labels: { [cidrLabel]: label } }),
      ...(isGuarded ? {} : { finalizers: [...finalizers, FINALIZER] }),
    },
    ...(hasFamily ? {} : { spec: { ipVersion: familyOf(subnet) } }),
  }
}

/** A network as a label has it: `172-18-0-0-16`. Undefined for one that no label can have, such as `::/0`. */
export function cidrLabelOf(subnet: Cidr): string | undefined {
  const label = subnet.replace(/[.:/]/g, '-')
  return /^[a-z0-9]/.test(label) ? label : undefined
}
