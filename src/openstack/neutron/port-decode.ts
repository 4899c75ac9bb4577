/**
 * A port as Neutron sends it.
 * @module
 */

import { isIP } from 'node:net'
import { Decoder, type Fields, isCidr } from '../decode.ts'
import { garbage } from '../errors.ts'
import type { AddressPair, FixedIp, Port, Subport } from './model.ts'

const DECODER = new Decoder('Neutron', 'a port')
const SUBPORT = new Decoder('Neutron', 'a part of a trunk')

/** Reads a port. Throws `OPENSTACK_GARBAGE`. */
export function portOf(fields: Fields): Port {
  return {
    id: DECODER.id(fields, 'id'),
    name: DECODER.textIfThere(fields, 'name') ?? '',
    networkId: DECODER.id(fields, 'network_id'),
    projectId: DECODER.idIfThere(fields, 'project_id') ?? DECODER.idIfThere(fields, 'tenant_id'),
    mac: DECODER.mac(fields, 'mac_address'),
    fixedIps: DECODER.list(fields, 'fixed_ips').map(fixedIpOf),
    status: DECODER.text(fields, 'status'),
    isAdminUp: DECODER.flag(fields, 'admin_state_up'),
    deviceId: DECODER.textIfThere(fields, 'device_id') ?? '',
    deviceOwner: DECODER.textIfThere(fields, 'device_owner') ?? '',
    securityGroups: DECODER.ids(fields, 'security_groups'),
    addressPairs: DECODER.listIfThere(fields, 'allowed_address_pairs').map(pairOf),
    hasPortSecurity: DECODER.flagIfThere(fields, 'port_security_enabled'),
    revision: DECODER.integerIfThere(fields, 'revision_number', 0, Number.MAX_SAFE_INTEGER),
    tags: DECODER.texts(fields, 'tags'),
    description: DECODER.textIfThere(fields, 'description') ?? '',
    vifType: DECODER.textIfThere(fields, 'binding:vif_type'),
    hostId: DECODER.textIfThere(fields, 'binding:host_id'),
    trunk: trunkOf(fields),
  }
}

/** Parts of a trunk in a list. Throws `OPENSTACK_GARBAGE`. */
export function subportsIn(fields: Fields): readonly Subport[] {
  return SUBPORT.listIfThere(fields, 'sub_ports').map((item) => {
    const subport = SUBPORT.fields(item)
    return {
      portId: SUBPORT.id(subport, 'port_id'),
      segmentation: SUBPORT.textIfThere(subport, 'segmentation_type') ?? 'vlan',
      vlan: SUBPORT.integer(subport, 'segmentation_id', 0, 4095),
    }
  })
}

function fixedIpOf(item: unknown): FixedIp {
  const fields = DECODER.fields(item)
  return { subnetId: DECODER.id(fields, 'subnet_id'), address: DECODER.address(fields, 'ip_address') }
}

function pairOf(item: unknown): AddressPair {
  const fields = DECODER.fields(item)
  const address = DECODER.text(fields, 'ip_address')
  if (isIP(address) === 0 && !isCidr(address)) {
    throw garbage('Neutron', 'a port whose allowed_address_pairs is not what it should be')
  }
  return DECODER.textIfThere(fields, 'mac_address') === undefined
    ? { address }
    : { address, mac: DECODER.mac(fields, 'mac_address') }
}

function trunkOf(fields: Fields): Port['trunk'] {
  const details = fields['trunk_details']
  if (details === undefined || details === null) return undefined
  const trunk = DECODER.fields(details)
  return { id: DECODER.id(trunk, 'trunk_id'), subports: subportsIn(trunk) }
}
