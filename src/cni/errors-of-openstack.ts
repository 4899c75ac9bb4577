/**
 * Those rows of the table of errors that are about OpenStack. `{reason}` names the object, `{advice}` what an operator can do;
 * both are of `src/openstack`, and neither holds a secret.
 * @module
 */
import type { CniErrorRow } from './error-row.ts'

/** What OpenStack refuses, or has not. */
export const OPENSTACK_ERRORS = {
  'openstack-config': {
    code: 7,
    message: 'the OpenStack account of the configuration cannot be used: {reason}',
    remedy: '{advice}',
  },
  'account-missing': {
    code: 11,
    message:
      'the configuration brings no OpenStack account (ipam.openstackConf), and the Weft agent does not run on this node',
    remedy: 'it is retried; start the agent, or write an account into ipam.openstackConf',
  },
  'openstack-unavailable': {
    code: 11,
    message: 'OpenStack cannot be asked now: {reason}',
    remedy: 'it is retried; {advice}',
  },
  'openstack-slow': {
    code: 11,
    message: 'OpenStack took longer than {seconds} seconds: {reason}',
    remedy: 'it is retried; see how long openstack port list takes, and what Neutron waits for, if this lasts',
  },
  'status-openstack': {
    code: 50,
    message: 'no address can be given out: {reason}',
    remedy: '{advice}',
  },
  'openstack-unauthorized': { code: 170, message: 'OpenStack refuses the account: {reason}', remedy: '{advice}' },
  'openstack-forbidden': { code: 171, message: 'the OpenStack account may not do that: {reason}', remedy: '{advice}' },
  'openstack-not-found': { code: 172, message: 'OpenStack has no such object: {reason}', remedy: '{advice}' },
  'openstack-quota': { code: 173, message: 'a quota of OpenStack is used up: {reason}', remedy: '{advice}' },
  'openstack-exhausted': { code: 174, message: 'OpenStack has nothing left to give: {reason}', remedy: '{advice}' },
  'openstack-conflict': { code: 175, message: 'it is taken in OpenStack: {reason}', remedy: '{advice}' },
  'openstack-refused': { code: 176, message: 'OpenStack refuses the request: {reason}', remedy: '{advice}' },
  'openstack-garbage': { code: 177, message: 'OpenStack gave an answer that is none: {reason}', remedy: '{advice}' },
  'neutron-no-subnet': {
    code: 178,
    message: 'Neutron network {network} has no subnet that this account sees',
    remedy:
      'make one (openstack subnet create --network {network} --subnet-range <CIDR> <name>), or share it with the project',
  },
  'neutron-address-foreign': {
    code: 179,
    message: 'address {address} is asked for and in no subnet of Neutron network {networks}; there are {subnets}',
    remedy: 'ask for an address of one of those subnets, or for none (IP in CNI_ARGS, runtimeConfig.ips, args.cni.ips)',
  },
  'neutron-subnet-hidden': {
    code: 180,
    message: 'Neutron gave address {address} of subnet {subnet} on network {network}, which this account does not see',
    remedy: 'share the subnet with the project, or take an account that sees it',
  },
  'neutron-group-ambiguous': {
    code: 181,
    message: '{count} security groups in Neutron are named {group}',
    remedy: 'write the ID of the one that is meant: openstack security group list',
  },
} as const satisfies Record<string, CniErrorRow>
