/**
 * Where a service is, as the catalogue in a token says. Pure.
 * @module
 */
import type { CloudConfig } from '../config/model.ts'
import { OpenStackError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import type { Endpoint } from './token.ts'

/** Which address of which service. */
export interface Wanted extends Pick<CloudConfig, 'region' | 'interface'> {
  readonly type: 'network' | 'compute'
}

/**
 * The first address that fits; without a region that of the first region, as every client does it. Throws `OPENSTACK_CONFIG`,
 * which says what there is.
 */
export function endpointIn(catalogue: readonly Endpoint[], wanted: Wanted, secrets: readonly Secret[]): string {
  const { type, region, interface: side } = wanted
  const ofType = catalogue.filter((endpoint) => endpoint.type === type)
  const inRegion = ofType.filter((endpoint) => region === undefined || endpoint.region === region)
  const found = inRegion.find((endpoint) => endpoint.interface === side)
  if (found !== undefined) return found.url
  if (ofType.length === 0) {
    throw new OpenStackError(
      'OPENSTACK_CONFIG',
      `Keystone's catalogue has no service of type ${type}`,
      `give a project that has services (project_name), or have it registered: openstack service create ${type}`,
      { service: 'Keystone' },
    )
  }
  if (inRegion.length === 0) {
    const regions = named(
      ofType.map((endpoint) => endpoint.region ?? ''),
      secrets,
    )
    throw new OpenStackError(
      'OPENSTACK_CONFIG',
      `Keystone's catalogue has no service of type ${type} in region ${region}`,
      `set ${REGION} to one of ${regions}; capitals count`,
      { service: 'Keystone' },
    )
  }
  throw new OpenStackError(
    'OPENSTACK_CONFIG',
    `Keystone's catalogue has no ${side} address of the service of type ${type}`,
    `set interface (OS_INTERFACE) to one of ${named(
      inRegion.map((endpoint) => endpoint.interface),
      secrets,
    )}`,
    { service: 'Keystone' },
  )
}

/**
 * What to do about an object that is not there, where no region is named and there are several: it may be in another one.
 * Undefined where it cannot.
 */
export function elsewhereIn(
  catalogue: readonly Endpoint[],
  { type, region, interface: side }: Wanted,
  secrets: readonly Secret[],
): string | undefined {
  const regions = catalogue.flatMap((one) => (one.type === type && one.interface === side ? [one.region ?? ''] : []))
  const [first = ''] = regions
  if (region !== undefined || new Set(regions).size < 2) return undefined
  return `or set ${REGION}: ${named([first], secrets)} was asked, the first of ${named(regions, secrets)}`
}

/** In a configuration of `ipam-neutron`, in clouds.yaml, as a variable. */
const REGION = 'the region (region, region_name, OS_REGION_NAME)'

/** Somebody's names, as far as they are such. */
function named(names: readonly string[], secrets: readonly Secret[]): string {
  const words = names.filter((name) => /^[\w.-]{1,64}$/.test(name))
  const harmless = words.filter(
    (name) => !secrets.some((secret) => secret.isIn(name) || secret.reveal().includes(name)),
  )
  return [...new Set(harmless)].slice(0, 10).join(', ') || 'those that the administrator names'
}
