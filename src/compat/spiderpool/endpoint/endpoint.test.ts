import { describe, expect, test } from 'bun:test'
import { cidr, ip } from '../../../network/model/address.ts'
import type { AddressClaim } from '../../../network/model/pool.ts'
import { decideEndpoint, type EndpointFacts, type EndpointObject } from './endpoint.ts'

const claim: AddressClaim = {
  address: ip('172.18.30.131'),
  prefix: 16,
  pool: 'p4',
  namespace: 'default',
  pod: 'demo-1',
  podUid: 'U',
  ifname: 'eth0',
  containerId: 'C',
  node: 'node1',
  isSticky: false,
  gateway: ip('172.18.0.1'),
  routes: [],
  hasCleanGateway: false,
}
const facts: EndpointFacts = {
  namespace: 'default',
  name: 'demo-1',
  claims: [claim],
  top: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'demo' },
  ownerUid: 'U',
}
const FINALIZER = 'spiderpool.spidernet.io'

function made(from: EndpointFacts = facts): EndpointObject {
  const call = decideEndpoint(from, undefined)
  if (call?.op !== 'create') throw new Error('nothing was made')
  return call.object
}

describe('what is made', () => {
  test('the worked example', () => {
    const object = made()
    expect(object.metadata).toMatchObject({
      namespace: 'default',
      name: 'demo-1',
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'demo-1', uid: 'U' }],
    })
    expect(object.metadata.finalizers).toBeUndefined()
    expect(object.status).toEqual({
      ownerControllerType: 'Deployment',
      ownerControllerName: 'demo',
      current: {
        uid: 'U',
        node: 'node1',
        ips: [
          {
            interface: 'eth0',
            ipv4: '172.18.30.131/16',
            ipv4Pool: 'p4',
            ipv4Gateway: '172.18.0.1',
            vlan: 0,
            cleanGateway: false,
          },
        ],
      },
    })
  })

  test('both families of an interface are one entry; the first interface is in front, others by number', () => {
    const of = (ifname: string, address: string): AddressClaim => ({ ...claim, ifname, address: ip(address) })
    const routes = [{ destination: cidr('10.0.0.0/8'), gateway: ip('172.18.0.2') }]
    const claims = [
      of('net10', '10.10.0.1'),
      of('net2', '10.2.0.1'),
      { ...of('eth0', 'fd00::1'), gateway: ip('fd00::fe'), pool: 'p6', prefix: 64, hasCleanGateway: true },
      { ...claim, routes },
    ]
    const status = made({ ...facts, claims }).status as { current: { ips: readonly Record<string, unknown>[] } }
    expect(status.current.ips.map((one) => one['interface'])).toEqual(['eth0', 'net2', 'net10'])
    expect(status.current.ips[0]).toEqual({
      interface: 'eth0',
      ipv4: '172.18.30.131/16',
      ipv4Pool: 'p4',
      ipv4Gateway: '172.18.0.1',
      ipv6: 'fd00::1/64',
      ipv6Pool: 'p6',
      ipv6Gateway: 'fd00::fe',
      vlan: 0,
      cleanGateway: true,
      routes: [{ dst: '10.0.0.0/8', gw: '172.18.0.2' }],
    })
  })

  test('a pod that nobody manages stands for itself; one that comes back is not owned', () => {
    const { top: _, ownerUid: __, ...bare } = facts
    const object = made(bare)
    expect(object.status).toMatchObject({ ownerControllerType: 'Pod', ownerControllerName: 'demo-1' })
    expect(object.metadata.ownerReferences).toEqual([])
  })
})

describe('what becomes of one that is there', () => {
  test('one that says it already is left alone', () => {
    expect(decideEndpoint(facts, made())).toBeUndefined()
  })

  test('what is told besides goes', () => {
    const before = made()
    const status = { ...Object(before.status), extra: 1, current: { ...Object(before.status).current, old: true } }
    const call = decideEndpoint(facts, { ...before, status })
    expect(call).toMatchObject({ op: 'patch', patch: { status: { extra: null, current: { old: null } } } })
  })

  test.each<[string, EndpointFacts | undefined, EndpointObject, unknown]>([
    ['ours, and nobody has an address', undefined, made(), { op: 'delete' }],
    ['another one’s is left alone', undefined, { metadata: { name: 'x', finalizers: [FINALIZER] } }, undefined],
    [
      'another one’s that is going loses its finalizer',
      undefined,
      { metadata: { name: 'x', finalizers: ['other', FINALIZER], deletionTimestamp: 'now' } },
      { op: 'delete', release: { metadata: { finalizers: ['other'] } } },
    ],
    [
      'what is going is let go, and made anew later',
      facts,
      { ...made(), metadata: { ...made().metadata, deletionTimestamp: 'now' } },
      undefined,
    ],
    [
      'another one’s of a pod with claims is taken over',
      facts,
      { metadata: { name: 'demo-1', finalizers: [FINALIZER] }, status: {} },
      { op: 'patch' },
    ],
    [
      'the next pod of that name owns it',
      { ...facts, ownerUid: 'V' },
      made(),
      { op: 'patch', patch: { metadata: { ownerReferences: [{ uid: 'V' }] } } },
    ],
  ])('%s', (_, wanted, object, expected) => {
    const call = decideEndpoint(wanted, object)
    if (expected === undefined) expect(call).toBeUndefined()
    else expect(call).toMatchObject(expected as object)
  })
})
