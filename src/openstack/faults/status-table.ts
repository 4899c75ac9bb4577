/**
 * What a status means where no better name of the failure is known.
 * @module
 */
import type { OpenStackService } from '../errors.ts'
import { type Fault, fault } from './row.ts'

const KEYSTONE: Readonly<Record<number, Fault>> = {
  300: fault(
    'OPENSTACK_CONFIG',
    'the auth URL is that of the list of versions',
    'write the v3 address: https://host:5000/v3',
  ),
  400: fault(
    'OPENSTACK_INVALID',
    'Keystone does not understand the request',
    'check domain and project, by name or ID',
  ),
  401: fault(
    'OPENSTACK_UNAUTHORIZED',
    'user, password, project, domain or secret is wrong; or the account is locked or disabled, or its password or credential has expired',
    'try the same with: openstack token issue',
  ),
  403: fault(
    'OPENSTACK_FORBIDDEN',
    'the account may not do this',
    "have the cloud's administrator give it a role in the project",
  ),
  404: fault(
    'OPENSTACK_CONFIG',
    'there is no Keystone v3 at the auth URL',
    'correct the auth URL: https://host:5000/v3',
  ),
  409: fault('OPENSTACK_CONFLICT', 'something of that name is there already', 'choose another name'),
  413: fault('OPENSTACK_INVALID', 'the request is too large for Keystone', 'look for a value that is far too long'),
}

const NEUTRON: Readonly<Record<number, Fault>> = {
  400: fault(
    'OPENSTACK_INVALID',
    'Neutron does not accept the request',
    'look for the request ID in the log of Neutron',
  ),
  401: fault(
    'OPENSTACK_UNAUTHORIZED',
    'Neutron refuses a token that Keystone has just given out',
    "compare the clocks, and have the account in Neutron's [keystone_authtoken] checked",
  ),
  403: fault(
    'OPENSTACK_FORBIDDEN',
    "Neutron's policy does not allow it to this account",
    'have it allowed, or use an account that may',
  ),
  404: fault(
    'OPENSTACK_NOT_FOUND',
    'it is not there, or not for this project to see',
    'check the ID and the project; for a kind of object, that its extension is switched on; and that networkEndpoint, where it is set, is the address of Neutron',
  ),
  409: fault(
    'OPENSTACK_CONFLICT',
    'it does not go with what is there',
    'look for the request ID in the log of Neutron',
  ),
  412: fault(
    'OPENSTACK_REVISION',
    'somebody else changed it since it was read',
    'nothing: it is read again and tried again; if it stays, see what else changes it',
  ),
  501: fault('OPENSTACK_UNSUPPORTED', 'this cloud does not have that', 'see openstack extension list --network'),
}

/** Source: Compute API, "Port interfaces"; Nova's names of failures say no more than the status. */
const NOVA: Readonly<Record<number, Fault>> = {
  400: fault(
    'OPENSTACK_INVALID',
    'Nova does not accept the request: the server cannot have this port, or its network has no subnet',
    'see openstack port show, and that the port is of a network of the project',
  ),
  401: fault(
    'OPENSTACK_UNAUTHORIZED',
    'Nova refuses a token that Keystone has just given out',
    "compare the clocks, and have the account in Nova's [keystone_authtoken] checked",
  ),
  403: fault(
    'OPENSTACK_FORBIDDEN',
    "Nova's policy does not allow it to this account, or the project's quota of ports is used up",
    'have it allowed (os_compute_api:os-attach-interfaces); see openstack quota show',
  ),
  404: fault(
    'OPENSTACK_NOT_FOUND',
    'the server, the port or its network is not there, or not for this project to see',
    'check the IDs and the project',
  ),
  409: fault(
    'OPENSTACK_CONFLICT',
    'the server is locked or in a state in which nothing is plugged, or the port or its address is in use',
    'see openstack server show and openstack port show; a port of another server is detached there first',
  ),
  501: fault(
    'OPENSTACK_UNSUPPORTED',
    'the hypervisor of this server plugs no network cards while the server runs',
    'plug them in before the server is started',
  ),
}

const BY_SERVICE = { Keystone: KEYSTONE, Neutron: NEUTRON, Nova: NOVA } as const

/** What a status means; undefined for one that says success. */
export function faultOfStatus(service: OpenStackService, status: number): Fault | undefined {
  if (status >= 200 && status < 300) return undefined
  const known = BY_SERVICE[service][status]
  if (known !== undefined) return known
  if (status === 429) {
    return fault('OPENSTACK_UNAVAILABLE', `${service} is asked too often`, 'nothing: it is tried again later')
  }
  if (status === 503 && service === 'Neutron') {
    return fault(
      'OPENSTACK_UNAVAILABLE',
      'Neutron is not there, or cannot ask Keystone about the token',
      'see whether Neutron, its database and Keystone run',
    )
  }
  if (status >= 500) {
    const remedy = `look for the request ID in the log of ${service}; it is tried again`
    return fault('OPENSTACK_UNAVAILABLE', `${service} failed at it`, remedy)
  }
  return fault(
    'OPENSTACK_GARBAGE',
    `${service} answered with a status that it does not have`,
    `check that the address of ${service} is that of ${service}, and not of a proxy or a login page`,
  )
}

/** Where a second factor is asked for: 401 with the header Openstack-Auth-Receipt. */
export const SECOND_FACTOR = fault(
  'OPENSTACK_UNAUTHORIZED',
  'the account needs a second factor',
  'make an application credential for it: openstack application credential create',
)

/**
 * An application credential that was deleted or has expired, a token that is none: Keystone says 404 of them, as it does of an
 * address that it does not have, and begins its message with {@link CREDENTIAL_WORDS}. Seen with Keystone 22.
 */
export const CREDENTIAL_GONE = fault(
  'OPENSTACK_UNAUTHORIZED',
  'the application credential or token is not there: it was deleted, it has expired, or its ID is wrong',
  'look for it: openstack application credential list; or make another one, and write down its ID and secret',
)

/** How Keystone's message begins then. */
export const CREDENTIAL_WORDS = /^Could not (?:find|recognize) /
