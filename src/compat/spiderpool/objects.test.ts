/**
 * SpiderReservedIP, SpiderCoordinator, NetworkAttachmentDefinition and AddressClaim as others write them.
 */
import { describe, expect, test } from 'bun:test'
import type { KubeObject } from '../../kube/object.ts'
import { ip } from '../../network/model/address.ts'
import { CONFIG_UNREADABLE, MAX_CONFIG } from '../../network/model/definition.ts'
import { claimName } from '../../network/model/pool.ts'
import { decodeValue } from '../../registry/codec.ts'
import { examples } from '../../registry/conformance-tools.ts'
import { attachmentDefinitionBinding } from '../multus/attachment-definition.ts'
import { addressClaimBinding, CLAIM_LABELS, labelValue } from '../weft/address-claim.ts'
import { coordinatorBinding } from './coordinator.ts'
import { reservedIpBinding } from './reserved-ip.ts'

function objectOf(fields: object, metadata: object = {}): KubeObject {
  return { metadata: { name: 'default', ...metadata }, ...fields } as unknown as KubeObject
}

describe('reserved addresses', () => {
  const read = (spec: unknown) =>
    decodeValue('ReservedAddresses', 'default', reservedIpBinding.decode(objectOf({ spec })))

  test.each<[string, unknown, readonly string[], string | undefined]>([
    ['of both families', { ips: ['10.0.0.1', 'fd00::1-fd00::2'] }, ['10.0.0.1', 'fd00::1'], undefined],
    ['what can be read counts', { ips: ['10.0.0.1', 'x', '10.0.0.9-10.0.0.1'] }, ['10.0.0.1'], 'spec.ips[1]'],
    ['nothing', { ips: [] }, [], 'spec.ips: it has no address'],
    ['garbage', { ips: { a: 1 } }, [], 'spec.ips: a value of type object is not a list'],
    ['no spec', undefined, [], 'spec.ips: it has no address'],
  ])('%s', (_, spec, firsts, words) => {
    const { ranges, problem } = read(spec)
    expect<readonly string[]>(ranges.map(({ first }) => first)).toEqual(firsts)
    if (words === undefined) expect(problem).toBeUndefined()
    else expect(problem).toStartWith(words)
  })
})

describe('a coordinator', () => {
  const read = (spec: unknown, status?: unknown) =>
    decodeValue('Coordinator', 'default', coordinatorBinding.decode(objectOf({ spec, status })))

  /** As the ovs-cni quick start shows it. */
  const seed = {
    detectGateway: false,
    detectIPConflict: false,
    hijackCIDR: ['169.254.0.0/16'],
    podRPFilter: 0,
    hostRPFilter: 0,
    hostRuleTable: 500,
    mode: 'auto',
    podCIDRType: 'calico',
    podDefaultRouteNIC: '',
    podMACPrefix: '',
    tunePodRoutes: true,
  }

  test('of the ovs-cni quick start', () => {
    const status = { overlayPodCIDR: [], phase: 'Synced', serviceCIDR: ['10.233.0.0/18'] }
    expect<unknown>(read(seed, status)).toEqual({
      name: 'default',
      mode: 'auto',
      podCidrType: 'calico',
      hijack: ['169.254.0.0/16'],
      policyRoutes: [],
      macPrefix: '',
      tunePodRoutes: true,
      defaultRouteNic: '',
      hostRuleTable: 500,
      podRpFilter: 0,
      txQueueLength: 0,
      vethMtu: 1500,
      detectsConflicts: false,
      detectsGateway: false,
      status: { phase: 'Synced', overlayPods: [], services: ['10.233.0.0/18'] },
    })
  })

  test.each<[object, object]>([
    [{ hijackCIDR: ['10.0.0.1', 'fd00::1', 'fd01::/16'] }, { hijack: ['10.0.0.1/32', 'fd00::1/128', 'fd01::/16'] }],
    [{ podMACPrefix: '0A-1B' }, { macPrefix: '0a:1b' }],
    [{ podRPFilter: -7 }, { podRpFilter: -7 }],
    [{ vethLinkAddress: '169.254.100.1' }, { vethLinkAddress: '169.254.100.1' }],
    [{ vethLinkAddress: '' }, {}],
    [
      { policyRoutes: [{ dst: '10.0.0.0/8', gw: '10.1.0.1' }] },
      { policyRoutes: [{ destination: '10.0.0.0/8', gateway: '10.1.0.1' }] },
    ],
  ])('with %j', (more, expected) => {
    const coordinator = read({ ...seed, ...more })
    expect(coordinator.status).toBeUndefined()
    expect(coordinator).toMatchObject(expected as never)
  })

  test.each<[object, string]>([
    [{ mode: 'underlays' }, 'spec.mode: "underlays" is not known'],
    [{ podCIDRType: 'flannel' }, 'spec.podCIDRType: "flannel" is not known'],
    [{ hijackCIDR: ['10.0.0.1/8'] }, 'spec.hijackCIDR[0]'],
    [{ podMACPrefix: '0b:1b' }, 'spec.podMACPrefix: "0b:1b"'],
    [{ podMACPrefix: '0a,1b' }, 'spec.podMACPrefix: "0a,1b"'],
    [{ podRPFilter: 3 }, 'spec.podRPFilter: 3'],
    [{ hostRuleTable: 254 }, 'spec.hostRuleTable: table 254'],
    [{ hostRuleTable: 0 }, 'spec.hostRuleTable: table 0'],
    [{ vethLinkAddress: '10.0.0.1' }, 'spec.vethLinkAddress: 10.0.0.1 is not link-local'],
    [{ vethMTU: 0 }, 'spec.vethMTU: 0'],
    [{ txQueueLen: -1 }, 'spec.txQueueLen: -1'],
    [{ podDefaultRouteNIC: 'sixteen-letters!' }, 'spec.podDefaultRouteNIC: "sixteen-letters!"'],
    [{ policyRoutes: [{ dst: '10.0.0.0/8', gw: 'fd00::1' }] }, 'spec.policyRoutes[0]: fd00::1 is no gateway'],
    [{ tunePodRoutes: 'no' }, 'spec.tunePodRoutes'],
  ])('that cannot be, %j, attaches nobody', (more, words) => {
    const { status } = read({ ...seed, ...more }, { phase: 'Synced' })
    expect(status).toEqual({ phase: 'NotReady', reason: expect.stringContaining(words) })
  })

  test.each<[object | undefined, object | undefined]>([
    [undefined, undefined],
    [{}, undefined],
    [
      { phase: 'NotReady', reason: 'no kubeadm-config' },
      { phase: 'NotReady', reason: 'no kubeadm-config' },
    ],
    [{ phase: 'Happy' }, { phase: 'NotReady', reason: '' }],
    [
      { phase: 'Synced', serviceCIDR: ['x'] },
      { phase: 'NotReady', reason: expect.stringContaining('status.serviceCIDR[0]') },
    ],
  ])('with the status %j', (status, expected) => expect(read(seed, status).status).toEqual(expected as never))
})

describe('an attachment definition', () => {
  const metadata = { name: 'a', namespace: 'shop' }
  const read = (spec: unknown, annotations: object = {}) => {
    const object = objectOf({ spec }, { ...metadata, annotations })
    return decodeValue('AttachmentDefinition', 'shop/a', attachmentDefinitionBinding.decode(object))
  }

  test.each<[string, unknown, string]>([
    ['is kept as it is written', { config: '{"type":' }, '{"type":'],
    ['may name a file', {}, ''],
    ['may have no spec', undefined, ''],
    ['of any length is there', { config: 'x'.repeat(MAX_CONFIG + 1) }, CONFIG_UNREADABLE],
    ['that is no text names no file', { config: { type: 'ovs' } }, CONFIG_UNREADABLE],
  ])('%s', (_, spec, config) => expect(read(spec).config).toBe(config))

  test.each([
    ['ovs-cni.network.kubevirt.io/br1', 'ovs-cni.network.kubevirt.io/br1'],
    ['', undefined],
    ['x'.repeat(1000), undefined],
  ])('takes one of the resource %j', (text, expected) => {
    expect(read({}, { 'k8s.v1.cni.cncf.io/resourceName': text }).resourceName).toBe(expected as never)
  })
})

describe('a claim', () => {
  const { value } = examples.AddressClaim

  test.each([
    ['172.18.30.131', 'underlay.172.18.30.131'],
    ['fd00::1', 'underlay.fd00-0000-0000-0000-0000-0000-0000-0001'],
    ['::', 'underlay.0000-0000-0000-0000-0000-0000-0000-0000'],
  ])('on %s is named %s', (address, name) => expect(claimName(ip(address))).toBe(name))

  test('under another name is none', () => {
    const object = addressClaimBinding.encode(value)
    expect(() => decodeValue('AddressClaim', 'underlay.10.0.0.1', addressClaimBinding.decode(object))).toThrow(
      'an object like this is named underlay.2001-0db8-',
    )
  })

  test('is found by labels', () => {
    const { labels = {} } = addressClaimBinding.encode(value).metadata
    expect(labels).toEqual({
      [CLAIM_LABELS.pool]: 'ippool-test',
      [CLAIM_LABELS.namespace]: 'shop',
      [CLAIM_LABELS.pod]: 'web-0',
      [CLAIM_LABELS.node]: 'node-1',
      [CLAIM_LABELS.podUid]: 'u3',
      [CLAIM_LABELS.containerId]: labelValue(value.containerId),
    })
  })

  test.each<[string, RegExp]>([
    ['node-1', /^node-1$/],
    ['a'.repeat(63), /^a{63}$/],
    ['a'.repeat(64), /^a{50}-[0-9a-f]{12}$/],
    [`${'a'.repeat(49)}.${'b'.repeat(100)}`, /^a{49}\.-[0-9a-f]{12}$/],
    ['ends-with-', /^ends-with--[0-9a-f]{12}$/],
    ['!!', /^[0-9a-f]{12}$/],
    ['u!d', /^u-d-[0-9a-f]{12}$/],
  ])('the label of %s is a label', (text, expected) => expect(labelValue(text)).toMatch(expected))

  test('long names that differ at their end have different labels', () => {
    expect(labelValue(`${'a'.repeat(100)}1`)).not.toBe(labelValue(`${'a'.repeat(100)}2`))
  })

  test.each<[string, object]>([
    ['another family’s gateway', { gateway: ip('10.0.0.1') }],
    ['a prefix that is too long', { address: ip('10.0.0.1'), gateway: undefined, routes: [], prefix: 33 }],
    ['an interface that is none', { ifname: 'a b' }],
    ['a sandbox that is none', { containerId: '../x' }],
  ])('with %s is none', (_, more) => {
    const wrong = { ...value, ...more }
    expect(() => decodeValue('AddressClaim', claimName(wrong.address), wrong)).toThrow('invalid')
  })

  test('thousands on one node share what they have in common', () => {
    const [one, other] = [1, 2].map(() =>
      decodeValue('AddressClaim', examples.AddressClaim.name, JSON.parse(JSON.stringify(value))),
    )
    expect(one?.routes).toBe(other?.routes as never)
    expect(one?.owner).toBe(other?.owner as never)
  })
})
