import { describe, expect, test } from 'bun:test'
import type { KubeObject } from '../../kube/object.ts'
import { cidr, ip } from '../../network/model/address.ts'
import type { NodeNetwork } from '../../network/model/node.ts'
import { decideAssignedHost, isAssigned } from './assigned-host.ts'

const ASSIGN = 'pod.network.openshift.io/assign-subnet'
const VNI = 'pod.network.openshift.io/fixed-vnid-host'
const HOST: NodeNetwork = {
  node: 'f5',
  machine: { kind: 'external', vni: 0 },
  addresses: [ip('192.0.2.40')],
  ranges: [cidr('10.131.0.0/23')],
}

function hostSubnet(annotations: Record<string, string> = {}, fields: object = {}): KubeObject {
  return {
    apiVersion: 'network.openshift.io/v1',
    kind: 'HostSubnet',
    metadata: { name: 'f5', uid: 'u1', annotations: { [ASSIGN]: 'true', ...annotations } },
    host: 'f5',
    hostIP: '192.0.2.40',
    subnet: '',
    ...fields,
  }
}

test('it is told by its annotation, whatever that says', () => {
  expect(isAssigned(hostSubnet({ [ASSIGN]: '' }))).toBe(true)
  expect(isAssigned({ ...hostSubnet(), metadata: { name: 'f5' } })).toBe(false)
})

describe('what is done', () => {
  test('a host that is new is declared, owned by the HostSubnet, with the range that it brings', () => {
    expect(decideAssignedHost(undefined, hostSubnet({ [VNI]: '0' }, { subnet: '10.131.2.0/23' }))).toMatchObject({
      op: 'declare',
      object: {
        kind: 'NodeNetwork',
        metadata: { name: 'f5', ownerReferences: [{ kind: 'HostSubnet', name: 'f5', uid: 'u1' }] },
        spec: { external: { vni: 0 }, addresses: ['192.0.2.40'], ranges: ['10.131.2.0/23'] },
      },
    })
  })

  test('its range is answered, and then there is nothing to do', () => {
    expect(decideAssignedHost(HOST, hostSubnet())).toEqual({ op: 'answer', patch: { subnet: '10.131.0.0/23' } })
    expect(decideAssignedHost(HOST, hostSubnet({}, { subnet: '10.131.0.0/23' }))).toBeUndefined()
    expect(decideAssignedHost({ ...HOST, ranges: [] }, hostSubnet())).toBeUndefined()
  })

  test('another address or network is taken over', () => {
    expect(decideAssignedHost(HOST, hostSubnet({ [VNI]: '42' }))).toEqual({
      op: 'amend',
      patch: { spec: { external: { vni: 42 }, addresses: ['192.0.2.40'] } },
    })
    expect(decideAssignedHost(HOST, hostSubnet({}, { hostIP: '192.0.2.41' }))).toMatchObject({ op: 'amend' })
  })

  test.each([
    ['no address', undefined, hostSubnet({}, { hostIP: 'f5' }), /hostIP/],
    ['an IPv6 address', undefined, hostSubnet({}, { hostIP: '2001:db8::1' }), /hostIP/],
    ['a VNI that is none', undefined, hostSubnet({ [VNI]: '0x10' }), /fixed-vnid-host/],
    ['a VNI of 25 bits', undefined, hostSubnet({ [VNI]: '16777216' }), /fixed-vnid-host/],
    ['a node’s name', { ...HOST, machine: { kind: 'node', uid: 'n' } } as const, hostSubnet(), /a node of the cluster/],
  ])('%s is refused with the reason', (_, network, object, why) => {
    expect(decideAssignedHost(network, object)).toEqual({ op: 'refuse', why: expect.stringMatching(why) })
  })
})
