import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { cidr, ip } from '../../network/model/address.ts'
import {
  advertised,
  annotationKeys,
  leaseOfNode,
  missingAnnotations,
  ownSubnets,
  wishedAddresses,
} from './annotations.ts'
import type { NetworkConfig } from './config.ts'
import { decodeAttributes, encodeAttributes, leaseKey, parseLeaseKey, vtepMacIn } from './lease.ts'

describe('keys', () => {
  test.each([
    ['10.5.52.0-24', { ipv4: cidr('10.5.52.0/24') }],
    ['10.5.52.0-24&fd00:10:5:34::-64', { ipv4: cidr('10.5.52.0/24'), ipv6: cidr('fd00:10:5:34::/64') }],
    ['0.0.0.0-0&fd00:10:5:34::-64', { ipv6: cidr('fd00:10:5:34::/64') }],
  ])('%s both ways', (key, subnets) => {
    expect(parseLeaseKey(key)).toEqual(subnets)
    expect(leaseKey(subnets)).toBe(key)
  })

  test.each([
    '',
    'x',
    '10.5.52.1-24',
    '10.5.52.0-33',
    '10.5.52.0',
    '0.0.0.0-0',
    '10.5.52.0-24&',
    '300.5.52.0-24',
    '10.5.52.0-24&fd00::1-64',
  ])('%j names no subnets', (key) => expect(parseLeaseKey(key)).toBeUndefined())
})

describe('values', () => {
  test.each([
    [
      '{"PublicIP":"192.168.64.3","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}}',
      { publicIp: ip('192.168.64.3'), backendType: 'vxlan', backendData: { VNI: 1, VtepMAC: 'c6:d2:32:6f:8f:44' } },
    ],
    [
      '{"PublicIP":"192.168.64.3","PublicIPv6":null,"BackendType":"host-gw"}',
      { publicIp: ip('192.168.64.3'), backendType: 'host-gw' },
    ],
    ['{"PublicIP":"192.168.64.3","PublicIPv6":null}', { publicIp: ip('192.168.64.3'), backendType: '' }],
    [
      '{"PublicIP":"0.0.0.0","PublicIPv6":"fd00::3","BackendType":"vxlan","BackendV6Data":{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}}',
      { publicIpv6: ip('fd00::3'), backendType: 'vxlan', backendV6Data: { VNI: 1, VtepMAC: 'c6:d2:32:6f:8f:44' } },
    ],
  ])('%s both ways', (text, attributes) => {
    expect(decodeAttributes(text)).toEqual(attributes)
    expect(encodeAttributes(attributes)).toBe(text)
  })

  test('what the seed’s flannel of 2018 wrote', () => {
    expect(decodeAttributes('{"PublicIP":"192.168.132.131"}')).toEqual({
      publicIp: ip('192.168.132.131'),
      backendType: '',
    })
    expect(decodeAttributes('{"PublicIP":"10.0.0.1","BackendType":"host-gw","BackendData":null}')).toEqual({
      publicIp: ip('10.0.0.1'),
      backendType: 'host-gw',
    })
  })

  test.each([
    '',
    '[]',
    '{}',
    '"x"',
    '{"PublicIP":"x"}',
    '{"PublicIP":"fd00::1"}',
    '{"PublicIP":"0.0.0.0"}',
    '{"PublicIP":7}',
  ])('%s is no lease', (text) => expect(decodeAttributes(text)).toBeUndefined())

  test('anything is a lease or none', () => {
    fc.assert(fc.property(fc.json(), (text) => void decodeAttributes(text)))
    fc.assert(fc.property(fc.string(), (text) => void [decodeAttributes(text), parseLeaseKey(text)]))
  })

  test.each([
    [{ VtepMAC: 'C6:D2:32:6F:8F:44' }, 'c6:d2:32:6f:8f:44'],
    [{ vtepmac: 'c6:d2:32:6f:8f:44' }, 'c6:d2:32:6f:8f:44'],
    [{ VtepMAC: '01:00:5e:00:00:01' }, undefined],
    [{ VtepMAC: 'ff:ff:ff:ff:ff:ff' }, undefined],
    [{ VtepMAC: '00:00:00:00:00:00' }, undefined],
    [{ VtepMAC: 5 }, undefined],
    [null, undefined],
    ['c6:d2:32:6f:8f:44', undefined],
  ])('%j holds the MAC address %p', (data, mac) => expect<string | undefined>(vtepMacIn(data)).toBe(mac))
})

describe('annotations of a Node', () => {
  const keys = annotationKeys()
  const node = (annotations: object, spec: object = { podCIDR: '10.244.1.0/24' }) => ({
    metadata: { name: 'n', annotations },
    spec,
  })
  const attributes = {
    publicIp: ip('192.0.2.1'),
    backendType: 'vxlan',
    backendData: { VNI: 1, VtepMAC: 'c6:d2:32:6f:8f:44' },
  }

  test('what is written is read', () => {
    const written = missingAnnotations(node({}), keys, attributes)
    expect(written).toEqual({
      'flannel.alpha.coreos.com/kube-subnet-manager': 'true',
      'flannel.alpha.coreos.com/backend-type': 'vxlan',
      'flannel.alpha.coreos.com/backend-data': '{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}',
      'flannel.alpha.coreos.com/public-ip': '192.0.2.1',
    })
    const after = node(written ?? {})
    expect(missingAnnotations(after, keys, attributes)).toBeUndefined()
    expect(leaseOfNode(after, keys)).toEqual({ subnets: { ipv4: cidr('10.244.1.0/24') }, attributes })
  })

  test('host-gw of both families, as flannel writes it', () => {
    const both = { publicIp: ip('192.0.2.1'), publicIpv6: ip('fd00::1'), backendType: 'host-gw' }
    const spec = { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24', 'fd00:1::/64'] }
    const written = missingAnnotations(node({}), keys, both) ?? {}
    expect(written['flannel.alpha.coreos.com/backend-v6-data']).toBe('null')
    expect(leaseOfNode(node(written, spec), keys)).toEqual({
      subnets: { ipv4: cidr('10.244.1.0/24'), ipv6: cidr('fd00:1::/64') },
      attributes: both,
    })
  })

  test('a Node of nobody’s, and one without a range, are no leases', () => {
    const written = missingAnnotations(node({}), keys, attributes) ?? {}
    expect(leaseOfNode(node({ ...written, [keys.managed]: 'false' }), keys)).toBeUndefined()
    expect(leaseOfNode(node(written, {}), keys)).toBeUndefined()
    expect(leaseOfNode(node({ ...written, [keys.publicIp]: 'x' }), keys)).toBeUndefined()
    expect(leaseOfNode({}, keys)).toBeUndefined()
    expect(leaseOfNode(undefined, keys)).toBeUndefined()
  })

  test('a Node’s own addresses are where its packets may come from', () => {
    const written = missingAnnotations(node({}), keys, attributes) ?? {}
    const addresses = [
      { type: 'InternalIP', address: '198.51.100.7' },
      { type: 'Hostname', address: 'n' },
      'nonsense',
      { type: 'InternalIP', address: '2001:DB8::7' },
    ]
    const told = leaseOfNode({ ...node(written), status: { addresses } }, keys)
    expect(told?.sources).toEqual([ip('198.51.100.7'), ip('2001:db8::7')])
  })

  test('by which addresses an administrator would have the link found', () => {
    const wish = { [keys.nodePublicIp]: '198.51.100.7', [keys.nodePublicIpv6]: 'x' }
    expect(wishedAddresses(node(wish), keys)).toEqual({ publicIp: ip('198.51.100.7') })
    expect(wishedAddresses(undefined, keys)).toEqual({})
  })

  test('an address that an administrator gives wins', () => {
    const own = { publicIp: ip('192.0.2.1') }
    expect(advertised(node({}), keys, own)).toEqual(own)
    expect(advertised(node({ [keys.publicIpOverwrite]: '198.51.100.7' }), keys, own)).toEqual({
      publicIp: ip('198.51.100.7'),
    })
    expect(advertised(node({ [keys.publicIpOverwrite]: 'x' }), keys, own)).toEqual(own)
  })

  test.each([
    [{}, 'pod cidr not assigned'],
    [{ podCIDR: '10.9.0.0/24' }, 'not in Network 10.244.0.0/16'],
    [{ podCIDR: '10.0.0.0/8' }, 'not in Network 10.244.0.0/16'],
    [{ podCIDR: 'fd00::/64' }, 'no pod range of the family'],
    [{ podCIDRs: ['10.244.1.0/24', '10.244.2.0/24'] }, 'pod cidr not assigned'],
  ])('%j: %s', (spec, message) => {
    const config: NetworkConfig = { ipv4: { network: cidr('10.244.0.0/16') }, backend: { type: 'host-gw' } }
    expect(() => ownSubnets(node({}, spec), 'n', config)).toThrow(message)
  })

  test.each([
    ['flannel.alpha.coreos.com', 'flannel.alpha.coreos.com/backend-type'],
    ['flannel.alpha.coreos.com/', 'flannel.alpha.coreos.com/backend-type'],
    ['example.org/net', 'example.org/net-backend-type'],
    ['example.org/net-', 'example.org/net-backend-type'],
  ])('below %s', (prefix, key) => expect(annotationKeys(prefix).backendType).toBe(key))

  test.each(['', '/x', 'a/b/c', 'a b', 'UP/x'])('%j is no prefix', (prefix) => {
    expect(() => annotationKeys(prefix)).toThrow('no prefix')
  })
})
