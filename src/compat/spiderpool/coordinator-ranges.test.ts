import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { cidr } from '../../network/model/address.ts'
import type { PodCidrType } from '../../network/model/definition.ts'
import { learnRanges, type RangeSources } from './coordinator-ranges.ts'
import type { KnownRanges } from './coordinator-sources.ts'

const ranges = (pods: readonly string[], services: readonly string[]): KnownRanges => ({
  pods: pods.map(cidr),
  services: services.map(cidr),
})
const WEFT = ranges(['10.128.0.0/14'], ['172.30.0.0/16'])
const KUBEADM = ranges(['10.233.64.0/18'], ['10.233.0.0/18'])
const MANAGER = ranges(['10.5.0.0/16'], ['10.6.0.0/16'])
const SILENT = ranges([], [])
const CALICO = [cidr('10.7.0.0/16')]
const CILIUM = { is: 'ranges', ranges: [cidr('10.8.0.0/16')] } as const
const SERVICES = [cidr('10.9.0.0/16')]
const UNTOLD = 'neither the ConfigMap kube-system/kubeadm-config nor a kube-controller-manager pod in kube-system tells'

type Row = readonly [
  what: string,
  type: PodCidrType,
  sources: Partial<RangeSources>,
  phase: 'Synced' | 'NotReady',
  pods: readonly string[],
  services: readonly string[],
  reason?: string,
]

test.each<Row>([
  ['the seed: nobody tells anything', 'auto', {}, 'NotReady', [], [], UNTOLD],
  ['… nor of Calico’s services', 'calico', { calico: CALICO }, 'NotReady', [], [], UNTOLD],
  ['… and nobody can be asked of the cluster’s', 'cluster', {}, 'NotReady', [], [], UNTOLD],
  ['… nor does none help', 'none', {}, 'NotReady', [], [], UNTOLD],
  [
    'the seed’s remedy: somebody writes kubeadm-config',
    'auto',
    { kubeadm: KUBEADM },
    'Synced',
    ['10.233.64.0/18'],
    ['10.233.0.0/18'],
  ],
  [
    'the seed’s status, Calico without pools',
    'calico',
    { kubeadm: KUBEADM, calico: [] },
    'Synced',
    [],
    ['10.233.0.0/18'],
  ],
  [
    'the same, and no Calico',
    'calico',
    { kubeadm: KUBEADM },
    'Synced',
    [],
    ['10.233.0.0/18'],
    'podCIDRType is calico, and Calico is not there',
  ],
  ['Weft’s overlay alone', 'auto', { weft: WEFT }, 'Synced', ['10.128.0.0/14'], ['172.30.0.0/16']],
  [
    'Weft’s overlay is known best',
    'cluster',
    { weft: WEFT, kubeadm: KUBEADM, controllerManager: MANAGER },
    'Synced',
    ['10.128.0.0/14'],
    ['172.30.0.0/16'],
  ],
  [
    'kubeadm before the controller manager',
    'cluster',
    { kubeadm: KUBEADM, controllerManager: MANAGER },
    'Synced',
    ['10.233.64.0/18'],
    ['10.233.0.0/18'],
  ],
  ['the controller manager', 'cluster', { controllerManager: MANAGER }, 'Synced', ['10.5.0.0/16'], ['10.6.0.0/16']],
  [
    'each list by whoever has it',
    'cluster',
    { kubeadm: ranges(['10.1.0.0/16'], []), controllerManager: MANAGER },
    'Synced',
    ['10.1.0.0/16'],
    ['10.6.0.0/16'],
  ],
  ['a source that is there and says nothing', 'cluster', { kubeadm: SILENT }, 'Synced', [], []],
  [
    'the API server’s own word of services',
    'none',
    { serviceCidrs: SERVICES, weft: WEFT, kubeadm: KUBEADM },
    'Synced',
    [],
    ['10.9.0.0/16'],
  ],
  ['it is enough where no pods are to be known', 'none', { serviceCidrs: SERVICES }, 'Synced', [], ['10.9.0.0/16']],
  ['… or are known', 'calico', { serviceCidrs: SERVICES, calico: CALICO }, 'Synced', ['10.7.0.0/16'], ['10.9.0.0/16']],
  ['… and not where they are', 'cluster', { serviceCidrs: SERVICES }, 'NotReady', [], [], UNTOLD],
  ['auto without an overlay', 'auto', { serviceCidrs: SERVICES }, 'Synced', [], ['10.9.0.0/16']],
  [
    'auto: every overlay that is there',
    'auto',
    { weft: WEFT, calico: CALICO, cilium: CILIUM, kubeadm: KUBEADM },
    'Synced',
    ['10.128.0.0/14', '10.7.0.0/16', '10.8.0.0/16'],
    ['172.30.0.0/16'],
  ],
  [
    'auto: Calico instead of what kubeadm was told',
    'auto',
    { calico: CALICO, kubeadm: KUBEADM },
    'Synced',
    ['10.7.0.0/16'],
    ['10.233.0.0/18'],
  ],
  ['none although there are some', 'none', { weft: WEFT, calico: CALICO }, 'Synced', [], ['172.30.0.0/16']],
  ['Cilium', 'cilium', { cilium: CILIUM, kubeadm: KUBEADM }, 'Synced', ['10.8.0.0/16'], ['10.233.0.0/18']],
  [
    'Cilium by the cluster’s ranges',
    'cilium',
    { cilium: { is: 'cluster' }, kubeadm: KUBEADM },
    'Synced',
    ['10.233.64.0/18'],
    ['10.233.0.0/18'],
  ],
  [
    'Cilium that nobody understands',
    'cilium',
    { cilium: { is: 'unknown', why: 'strange' }, kubeadm: KUBEADM },
    'NotReady',
    [],
    [],
    'strange',
  ],
  [
    '… and auto does not overlook it',
    'auto',
    { cilium: { is: 'unknown', why: 'strange' }, weft: WEFT },
    'NotReady',
    [],
    [],
    'strange',
  ],
  [
    'no Cilium',
    'cilium',
    { kubeadm: KUBEADM },
    'Synced',
    [],
    ['10.233.0.0/18'],
    'podCIDRType is cilium, and Cilium is not there',
  ],
])('%s (%s)', (...[_, type, sources, phase, pods, services, reason]: Row) => {
  const learned = learnRanges(type, { serviceCidrs: [], ...sources }, undefined)
  expect<unknown>({ ...learned, reason: '' }).toEqual({ phase, overlayPods: pods, services, reason: '' })
  if (reason === undefined) expect(learned.reason).toBe('')
  else expect(learned.reason).toStartWith(reason)
})

test('the remedy is in the reason', () => {
  expect(learnRanges('auto', { serviceCidrs: [] }, undefined).reason).toEndWith(
    'create the ConfigMap with podSubnet and serviceSubnet under networking in its ClusterConfiguration',
  )
})

test('what was known stays, each list for itself, until something else is known', () => {
  const before = ranges(['10.1.0.0/16'], ['10.2.0.0/16'])
  const nothing = learnRanges('cluster', { serviceCidrs: [] }, before)
  expect(nothing).toMatchObject({ phase: 'Synced', overlayPods: before.pods, services: before.services })
  expect(nothing.reason).toStartWith('what was known before holds: neither')
  const half = learnRanges('cluster', { serviceCidrs: SERVICES }, before)
  expect(half).toMatchObject({ phase: 'Synced', overlayPods: before.pods, services: SERVICES })
  const silence = learnRanges('auto', { serviceCidrs: SERVICES }, before)
  expect(silence).toMatchObject({ phase: 'Synced', overlayPods: before.pods, services: SERVICES })
  const never = learnRanges('auto', { serviceCidrs: SERVICES }, ranges([], ['10.2.0.0/16']))
  expect(never).toEqual({ phase: 'Synced', overlayPods: [], services: SERVICES, reason: '' })
  const all = learnRanges('cluster', { serviceCidrs: [], kubeadm: KUBEADM }, before)
  expect(all).toMatchObject({ phase: 'Synced', overlayPods: KUBEADM.pods, services: KUBEADM.services, reason: '' })
})

test('whoever was ready once stays so, and no range is there twice', () => {
  const known = fc.option(fc.constantFrom(WEFT, KUBEADM, MANAGER, SILENT), { nil: undefined })
  const cilium = fc.constantFrom(undefined, CILIUM, { is: 'cluster' as const }, { is: 'unknown' as const, why: 'x' })
  const sources = fc.record({
    weft: known,
    kubeadm: known,
    controllerManager: known,
    serviceCidrs: fc.constantFrom([], SERVICES, [...SERVICES, ...SERVICES]),
    calico: fc.constantFrom(undefined, [], CALICO, [...CALICO, ...WEFT.pods]),
    cilium,
  })
  const types = fc.constantFrom<PodCidrType[]>('auto', 'cluster', 'calico', 'cilium', 'none')
  fc.assert(
    fc.property(types, sources, known, (type, given, before) => {
      const learned = learnRanges(type, given, before)
      if (before !== undefined) expect(learned.phase).toBe('Synced')
      if (learned.phase === 'NotReady') expect(learned.reason).not.toBe('')
      for (const list of [learned.overlayPods, learned.services]) expect(new Set(list).size).toBe(list.length)
    }),
  )
})
