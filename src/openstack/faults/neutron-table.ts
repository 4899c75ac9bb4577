/**
 * Neutron's own names of failures. Source: neutron 21 and neutron-lib, `exceptions/` and `services/trunk/exceptions.py`; statuses
 * by `api/faults.py` (`FAULT_MAP`).
 * @module
 */
import { type Fault, fault } from './row.ts'

const ASK_POLICY = "have the cloud's administrator allow it in Neutron's policy, or use an account that may"
const REPORT = 'this is a defect of Weft: report it with the request ID'
const RELEASE = 'release what uses it first'

/** By `NeutronError.type`. */
export const NEUTRON_FAULTS: Readonly<Record<string, Fault>> = {
  // 400
  InvalidInput: fault('OPENSTACK_INVALID', 'Neutron finds a value that it does not accept', REPORT),
  HTTPBadRequest: fault('OPENSTACK_INVALID', 'Neutron cannot make sense of the request', REPORT),
  BadRequest: fault('OPENSTACK_INVALID', 'Neutron cannot make sense of the request', REPORT),
  MalformedRequestBody: fault('OPENSTACK_INVALID', 'Neutron cannot read the request', REPORT),
  InvalidIpForNetwork: fault(
    'OPENSTACK_INVALID',
    'the address belongs to no subnet of the network',
    'ask for an address of one of the subnets of the network',
  ),
  InvalidIpForSubnet: fault(
    'OPENSTACK_INVALID',
    'the address does not belong to the subnet',
    'ask for an address of the subnet',
  ),
  AllowedAddressPairExhausted: fault(
    'OPENSTACK_EXHAUSTED',
    'the port has as many allowed address pairs as the cloud permits',
    'have max_allowed_address_pair raised in neutron.conf, or use another way for addresses: several fixed addresses, or a trunk',
  ),
  AllowedAddressPairsMissingIP: fault('OPENSTACK_INVALID', 'an address pair has no address', REPORT),
  DuplicateAddressPairInRequest: fault('OPENSTACK_INVALID', 'an address pair is there twice', REPORT),
  ExternalIpAddressExhausted: fault(
    'OPENSTACK_EXHAUSTED',
    'no address is free in the external network',
    'enlarge the allocation pools of its subnets, or free addresses there',
  ),
  // 403
  PolicyNotAuthorized: fault('OPENSTACK_FORBIDDEN', "Neutron's policy does not allow it to this account", ASK_POLICY),
  AdminRequired: fault('OPENSTACK_FORBIDDEN', 'it is for administrators', ASK_POLICY),
  // 404
  PortNotFound: fault('OPENSTACK_NOT_FOUND', 'the port is not there', 'it was deleted, or belongs to another project'),
  NetworkNotFound: fault(
    'OPENSTACK_NOT_FOUND',
    'the network is not there',
    'correct its ID in the configuration, or share it with this project',
  ),
  SubnetNotFound: fault(
    'OPENSTACK_NOT_FOUND',
    'the subnet is not there',
    'correct its ID in the configuration, or make it again',
  ),
  SecurityGroupNotFound: fault(
    'OPENSTACK_NOT_FOUND',
    'the security group is not there',
    'correct the name or ID of the security group',
  ),
  TrunkNotFound: fault('OPENSTACK_NOT_FOUND', 'the trunk is not there', 'make a trunk on the port of the machine'),
  SubPortNotFound: fault('OPENSTACK_NOT_FOUND', 'a port is not a part of the trunk', 'read the trunk again'),
  RouterNotFound: fault('OPENSTACK_NOT_FOUND', 'the router is not there', 'correct the ID of the router'),
  HTTPNotFound: fault(
    'OPENSTACK_NOT_FOUND',
    'Neutron has no such object or no such kind of object',
    'check the ID, and that the extension is switched on (openstack extension list --network)',
  ),
  // 409
  IpAddressGenerationFailure: fault(
    'OPENSTACK_EXHAUSTED',
    'no address is free there',
    'enlarge the allocation pools of the subnet, add a subnet, or delete ports that nobody uses',
  ),
  IpAddressAlreadyAllocated: fault(
    'OPENSTACK_CONFLICT',
    'the address is taken by another port',
    'find it: openstack port list --fixed-ip ip-address=ADDRESS',
  ),
  IpAddressInUse: fault(
    'OPENSTACK_CONFLICT',
    'the address is taken by another port',
    'find it: openstack port list --fixed-ip ip-address=ADDRESS',
  ),
  MacAddressInUse: fault(
    'OPENSTACK_CONFLICT',
    'the MAC address is taken by another port of the network',
    'find it: openstack port list --mac-address ADDRESS',
  ),
  OverQuota: fault(
    'OPENSTACK_QUOTA',
    "the project's quota is used up",
    'have it raised (openstack quota set --ports N PROJECT), or delete what nobody uses',
  ),
  PortInUse: fault('OPENSTACK_IN_USE', 'the port belongs to a machine or service', RELEASE),
  PortBound: fault('OPENSTACK_IN_USE', 'the port is bound to a host', RELEASE),
  ServicePortInUse: fault(
    'OPENSTACK_IN_USE',
    'the port belongs to a router or another service',
    'remove it there: openstack router remove port',
  ),
  NetworkInUse: fault('OPENSTACK_IN_USE', 'the network still has ports', 'delete its ports first'),
  SubnetInUse: fault(
    'OPENSTACK_IN_USE',
    'the subnet still has addresses in use',
    'delete the ports that have them first',
  ),
  SecurityGroupInUse: fault(
    'OPENSTACK_IN_USE',
    'ports are still in the security group',
    'take it off those ports first',
  ),
  SecurityGroupRuleExists: fault(
    'OPENSTACK_CONFLICT',
    'the same rule is there already',
    'nothing: it is as it should be',
  ),
  AddressPairAndPortSecurityRequired: fault(
    'OPENSTACK_CONFLICT',
    'the port has no port security, and then no address pairs',
    'openstack port set --enable-port-security PORT, or leave address pairs away: without port security none is needed',
  ),
  TrunkPortInUse: fault('OPENSTACK_IN_USE', 'the port has a trunk already', 'use that trunk'),
  ParentPortInUse: fault(
    'OPENSTACK_IN_USE',
    'the port is bound, and this cloud makes and removes trunks on unbound ports only',
    'make the trunk before the machine is started, or stop the machine for it',
  ),
  DuplicateSubPort: fault(
    'OPENSTACK_CONFLICT',
    'the VLAN is taken on the trunk',
    'read the trunk again and take another VLAN',
  ),
  PortInUseAsSubPort: fault('OPENSTACK_IN_USE', 'the port is a part of a trunk', 'remove it from its trunk first'),
  PortInUseAsTrunkParent: fault('OPENSTACK_IN_USE', 'the port carries a trunk', 'delete the trunk first'),
  TrunkInUse: fault('OPENSTACK_IN_USE', 'the trunk is in use', 'stop the machine that it is plugged into'),
  TrunkInErrorState: fault(
    'OPENSTACK_IN_USE',
    'the trunk is in state ERROR, and takes no more ports',
    "look at Neutron's log; openstack network trunk unset --subport, or delete the trunk and make it again",
  ),
  TrunkDisabled: fault('OPENSTACK_IN_USE', 'the trunk is disabled', 'openstack network trunk set --enable TRUNK'),
  SubPortMtuGreaterThanTrunkPortMtu: fault(
    'OPENSTACK_INVALID',
    "the pods' network has a larger MTU than the network of the machine's port",
    'make its MTU the same: openstack network set --mtu N NETWORK',
  ),
  RouterInterfaceInUseByFloatingIP: fault(
    'OPENSTACK_IN_USE',
    'a floating address needs the interface of the router',
    'disassociate the floating address first',
  ),
  RouterInterfaceInUseByRoute: fault(
    'OPENSTACK_IN_USE',
    'a route of the router needs its interface',
    'remove the route first',
  ),
  RouterInUse: fault('OPENSTACK_IN_USE', 'the router still has interfaces', 'remove its interfaces first'),
  // 412
  RevisionNumberConstraintFailed: fault(
    'OPENSTACK_REVISION',
    'somebody else changed it since it was read',
    'nothing: it is read again and tried again; if it stays, see what else changes it',
  ),
  // 500
  IPAllocationFailed: fault(
    'OPENSTACK_UNAVAILABLE',
    'Neutron could not give out an address in time',
    'nothing: it is tried again later',
  ),
  // 503
  HostMacAddressGenerationFailure: fault(
    'OPENSTACK_UNAVAILABLE',
    'Neutron found no free MAC address',
    'have base_mac and dvr_base_mac in neutron.conf looked at',
  ),
  NetworkMacAddressGenerationFailure: fault(
    'OPENSTACK_UNAVAILABLE',
    'Neutron found no free MAC address',
    'have base_mac in neutron.conf looked at',
  ),
  ServiceUnavailable: fault(
    'OPENSTACK_UNAVAILABLE',
    'Neutron lacks something that it needs',
    'see whether its database and Keystone run',
  ),
}
