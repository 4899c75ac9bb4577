/**
 * Neutron's networks and what nodes have of them, for the conformance suite: with everything that each can say.
 * @module
 */
import { cidr, ip, type Mac } from '../network/model/address.ts'
import type { Kinds } from './registry.ts'

type NeutronKind = 'NeutronNetwork' | 'NodePorts' | 'PortUse'

const NETWORK = '782ec9ac-44f9-4318-8c67-a2fed2ccca4f'
const SUBNET = '1e9bd3ff-2f2b-4ae6-9e46-9bd4bb70e1d0'
const PARENT = '0b9a6a9e-52a9-4a6f-9a24-6f4d0c2a61a5'
const PORT = 'd4a3cdcd-0fb1-4a0e-9d2a-3c5e3f4a5b6c'
const MAC = 'fa:16:3e:00:00:01' as Mac

/** One of each kind, under its name. */
export const neutronExamples: { readonly [K in NeutronKind]: { readonly name: string; readonly value: Kinds[K] } } = {
  NeutronNetwork: {
    name: 'pods',
    value: {
      name: 'pods',
      network: NETWORK,
      subnets: [SUBNET],
      mode: 'auto',
      pool: { min: 4, max: 100, batch: 8 },
      securityGroups: ['web', 'default'],
      nodes: [{ key: 'rack', operator: 'In', values: ['a', 'b'] }],
      parent: { mac: MAC, network: 'workers' },
      status: {
        ready: false,
        reason: 'OPENSTACK_QUOTA',
        problem: 'the project k8s may have no more ports; raise its quota',
        networkId: NETWORK,
        nodes: 3,
        ports: 12,
        leased: 5,
      },
    },
  },
  NodePorts: {
    name: 'node-1',
    value: {
      node: 'node-1',
      pools: [
        {
          network: 'pods',
          networkId: NETWORK,
          mode: 'trunk',
          parent: { portId: PARENT, mac: MAC, own: [ip('10.244.1.5')], asked: 4 },
          mtu: 1442,
          subnets: [
            {
              id: SUBNET,
              cidr: cidr('10.244.1.0/24'),
              gateway: ip('10.244.1.1'),
              routes: [{ destination: cidr('10.96.0.0/12'), gateway: ip('10.244.1.2') }],
              nameservers: [ip('10.0.0.2'), ip('2001:db8::53')],
            },
            { id: 'six', cidr: cidr('2001:db8:1::/64'), routes: [], nameservers: [] },
          ],
          groups: ['a', 'b'],
          ports: [
            {
              id: PORT,
              mac: 'fa:16:3e:00:00:02' as Mac,
              addresses: [
                { address: ip('10.244.1.7'), subnetId: SUBNET },
                { address: ip('2001:db8:1::7'), subnetId: 'six' },
              ],
              vlan: 101,
              groups: ['web'],
              withdrawn: true,
            },
          ],
        },
      ],
      problems: [{ network: 'pods', reason: 'OPENSTACK_QUOTA', problem: 'no more ports; raise it', retryAfter: 60 }],
    },
  },
  PortUse: {
    name: 'node-1',
    value: {
      node: 'node-1',
      leased: [
        { id: PORT, sandbox: '0123456789abcdef', ifname: 'eth0', pod: 'shop/web-0', since: '2026-01-02T03:04:05Z' },
      ],
      resting: [{ id: `${PARENT}/10.244.1.9`, until: '2026-01-02T03:05:05Z' }],
      given: ['another'],
      wants: [
        { network: 'pods', n: 1 },
        { network: 'pods', groups: ['db', 'web'], n: 2 },
      ],
    },
  },
}
