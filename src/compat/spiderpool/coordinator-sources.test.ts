import { expect, test } from 'bun:test'
import type { KubeObject } from '../../kube/object.ts'
import { type Cidr, cidr } from '../../network/model/address.ts'
import { kubeadmNetworks } from '../kubernetes/cluster-facts.ts'
import {
  calicoPoolIn,
  calicoRanges,
  calicoUsedBlockIn,
  ciliumRanges,
  controllerManagerRanges,
} from './coordinator-sources.ts'

function object(fields: object, metadata: object = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'X', metadata: { name: 'x', ...metadata }, ...fields }
}

test.each<[string, string, readonly string[], readonly string[]]>([
  [
    'the seed’s',
    'networking:\n  podSubnet: 10.233.64.0/18\n  serviceSubnet: 10.233.0.0/18\n',
    ['10.233.64.0/18'],
    ['10.233.0.0/18'],
  ],
  [
    'two families',
    'networking:\n  podSubnet: 10.1.0.0/16,fd00::/48\n  serviceSubnet: 10.2.0.0/16, fd01::/112',
    ['10.1.0.0/16', 'fd00::/48'],
    ['10.2.0.0/16', 'fd01::/112'],
  ],
  [
    'quotes',
    'networking: {podSubnet: "10.1.0.0/16", serviceSubnet: \'10.2.0.0/16\'}',
    ['10.1.0.0/16'],
    ['10.2.0.0/16'],
  ],
  [
    'what is no network is left out',
    'networking:\n  podSubnet: nonsense,10.1.0.0/16\n  serviceSubnet: 10.2.0.0/40',
    ['10.1.0.0/16'],
    [],
  ],
  ['host bits do not matter', 'networking:\n  podSubnet: 10.1.2.3/16', ['10.1.0.0/16'], []],
  ['none', 'networking: {}', [], []],
  ['no YAML', 'networking: [', [], []],
  ['a number where a text belongs', 'networking:\n  podSubnet: 10', [], []],
])('kubeadm-config: %s', (_, text, pods, services) => {
  const ranges = kubeadmNetworks(object({ data: { ClusterConfiguration: text } }))
  expect<unknown>(ranges).toEqual({ pods, services })
})

test('kubeadm-config without its key', () => {
  expect(kubeadmNetworks(object({}))).toEqual({ pods: [], services: [] })
})

const FLAGS = ['--cluster-cidr=10.1.0.0/16', '--service-cluster-ip-range=10.2.0.0/16,fd01::/112']

test.each<[string, unknown, readonly string[], readonly string[]]>([
  [
    'in the command',
    { containers: [{ command: ['kube-controller-manager', ...FLAGS] }] },
    ['10.1.0.0/16'],
    ['10.2.0.0/16', 'fd01::/112'],
  ],
  [
    'in the arguments',
    { containers: [{ command: ['kube-controller-manager'], args: FLAGS }] },
    ['10.1.0.0/16'],
    ['10.2.0.0/16', 'fd01::/112'],
  ],
  [
    'one here, one there',
    { containers: [{ command: FLAGS.slice(0, 1), args: FLAGS.slice(1) }] },
    ['10.1.0.0/16'],
    ['10.2.0.0/16', 'fd01::/112'],
  ],
  ['in words of their own', { containers: [{ command: ['--cluster-cidr', '10.1.0.0/16'] }] }, ['10.1.0.0/16'], []],
  [
    'in a shell’s line',
    { containers: [{ command: ['sh', '-c', 'exec kcm --cluster-cidr="10.1.0.0/16" --v=2'] }] },
    ['10.1.0.0/16'],
    [],
  ],
  [
    'flags that only end like these',
    { containers: [{ command: ['--no-cluster-cidr=10.1.0.0/16', '--cluster-cidr-x=10.1.0.0/16'] }] },
    [],
    [],
  ],
  ['no networks', { containers: [{ command: ['--cluster-cidr=', '--service-cluster-ip-range=x'] }] }, [], []],
  ['nothing that anybody could read', { containers: [{ command: [7, null] }, 'x'] }, [], []],
  ['no containers', {}, [], []],
])('controller manager: %s', (_, spec, pods, services) => {
  expect<unknown>(controllerManagerRanges({ spec })).toEqual({ pods, services })
})

test.each<[string, readonly object[], readonly string[], readonly string[]]>([
  [
    'pools in the order of their age',
    [
      { cidr: '10.2.0.0/16', at: '2' },
      { cidr: '10.1.0.0/16', at: '3' },
      { cidr: 'fd00::/48', at: '1' },
    ],
    [],
    ['fd00::/48', '10.2.0.0/16', '10.1.0.0/16'],
  ],
  ['a disabled one that nobody has an address of', [{ cidr: '10.1.0.0/16', disabled: true }], [], []],
  [
    'a disabled one that somebody has an address of',
    [{ cidr: '10.1.0.0/16', disabled: true }],
    ['10.1.3.64/26'],
    ['10.1.0.0/16'],
  ],
  [
    'a disabled one beside one that is used',
    [{ cidr: '10.1.0.0/16', disabled: true }],
    ['10.2.3.64/26', 'fd00::/122'],
    [],
  ],
  [
    'one that is going',
    [
      { cidr: '10.1.0.0/16', going: '4' },
      { cidr: '10.2.0.0/16', going: '4' },
    ],
    ['10.2.3.64/26'],
    ['10.2.0.0/16'],
  ],
  ['none', [], ['10.2.3.64/26'], []],
  ['nonsense', [{ cidr: 'x' }, {}], [], []],
])('Calico: %s', (_, pools, blocks, ranges) => {
  const read = (pools as readonly Record<string, string>[]).flatMap(
    ({ at, going, cidr, ...spec }) =>
      calicoPoolIn(object({ spec: { cidr, ...spec } }, { creationTimestamp: at, deletionTimestamp: going })) ?? [],
  )
  expect(calicoRanges(read, blocks.map(cidr))).toEqual(ranges.map(cidr))
})

test.each<[string, unknown, Cidr | undefined]>([
  ['with an address in use', { cidr: '10.1.0.0/26', allocations: [null, 0, null] }, cidr('10.1.0.0/26')],
  ['with none', { cidr: '10.1.0.0/26', allocations: [null, null] }, undefined],
  ['without a list', { cidr: '10.1.0.0/26' }, undefined],
])('a block of Calico’s %s', (_, spec, range) => {
  expect(calicoUsedBlockIn(object({ spec: spec as object }))).toBe(range)
})

const POOL = { spec: { ipv4: { cidrs: ['10.10.0.0/16'], maskSize: 27 }, ipv6: { cidrs: ['fd00:100::/80'] } } }

test.each<[string, object, readonly unknown[], unknown]>([
  [
    'cluster-pool',
    { ipam: 'cluster-pool', 'cluster-pool-ipv4-cidr': ' 10.0.0.0/8', 'cluster-pool-ipv6-cidr': 'fd00::/104' },
    [],
    { is: 'ranges', ranges: ['10.0.0.0/8', 'fd00::/104'] },
  ],
  [
    'cluster-pool-v2beta',
    { ipam: 'cluster-pool-v2beta', 'cluster-pool-ipv4-cidr': '10.0.0.0/8' },
    [],
    { is: 'ranges', ranges: ['10.0.0.0/8'] },
  ],
  [
    'several ranges',
    { ipam: 'cluster-pool', 'cluster-pool-ipv4-cidr': '10.0.0.0/16 10.1.0.0/16' },
    [],
    { is: 'ranges', ranges: ['10.0.0.0/16', '10.1.0.0/16'] },
  ],
  ['multi-pool', { ipam: 'multi-pool' }, [POOL, {}], { is: 'ranges', ranges: ['10.10.0.0/16', 'fd00:100::/80'] }],
  ['kubernetes', { ipam: 'kubernetes' }, [], { is: 'cluster' }],
  [
    'eni',
    { ipam: 'eni' },
    [],
    { is: 'unknown', why: 'the ConfigMap kube-system/cilium-config has an ipam that tells no ranges' },
  ],
  [
    'no mode',
    {},
    [],
    { is: 'unknown', why: 'the ConfigMap kube-system/cilium-config has an ipam that tells no ranges' },
  ],
])('Cilium: %s', (_, data, pools, ranges) => {
  expect<unknown>(ciliumRanges({ data }, pools)).toEqual(ranges)
})
