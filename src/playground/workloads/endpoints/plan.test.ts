import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { KubeObject } from '../../../kube/object.ts'
import { canonical } from '../canonical.ts'
import { fields, list } from '../values.ts'
import { isDone, MOST_ENDPOINTS, planSlices } from './plan.ts'
import { slicedService } from './service.ts'

interface PodState {
  readonly id: number
  readonly app: string
  readonly ready: boolean
  readonly terminating: boolean
  readonly phase: string
  readonly port: number
  readonly ipv6: boolean
  readonly hasAddress: boolean
}

const podState: fc.Arbitrary<PodState> = fc.record({
  id: fc.nat(9),
  app: fc.constantFrom('web', 'web', 'web', 'other'),
  ready: fc.boolean(),
  terminating: fc.boolean(),
  phase: fc.constantFrom('Running', 'Running', 'Running', 'Succeeded'),
  port: fc.constantFrom(80, 8080),
  ipv6: fc.boolean(),
  hasAddress: fc.boolean(),
})
const serviceState = fc.record({
  publishNotReadyAddresses: fc.boolean(),
  ipFamilies: fc.constantFrom(['IPv4'], ['IPv6'], ['IPv4', 'IPv6']),
  targetPort: fc.constantFrom(8080, 'http'),
})

function podObject({ id, app, ready, terminating, phase, port, ipv6, hasAddress }: PodState): KubeObject {
  const ips = [...(hasAddress ? [`10.0.0.${id}`] : []), ...(ipv6 ? [`fd00::${id + 1}`] : [])]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `pod-${id}`,
      namespace: 'test',
      uid: `uid-${id}`,
      labels: { app },
      ...(terminating ? { deletionTimestamp: 'now' } : {}),
    },
    spec: { nodeName: 'here', containers: [{ ports: [{ name: 'http', containerPort: port }] }] },
    status: {
      phase,
      podIPs: ips.map((ip) => ({ ip })),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    },
  }
}

function serviceObject(spec: object): KubeObject {
  const ports = [{ name: 'http', port: 80, targetPort: 8080, ...spec }]
  const { targetPort: _, ...rest } = { targetPort: 0, ...spec }
  const metadata = { name: 'web', namespace: 'test', uid: 'service', labels: { team: 'a' } }
  return { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { app: 'web' }, ports, ...rest } }
}

/** Carries a plan out, as the API would. */
function carryOut(service: KubeObject, pods: readonly KubeObject[], slices: Map<string, KubeObject>): number {
  const sliced = slicedService(service)
  if (sliced === undefined) throw new Error('no service')
  const plan = planSlices(sliced, pods, [...slices.values()])
  for (const slice of plan.create) {
    expect(slices.has(slice.metadata.name)).toBe(false)
    slices.set(slice.metadata.name, slice)
  }
  for (const slice of plan.replace) slices.set(slice.metadata.name, slice)
  for (const slice of plan.remove) slices.delete(slice.metadata.name)
  expect(isDone(planSlices(sliced, pods, [...slices.values()]))).toBe(true)
  return plan.create.length + plan.replace.length + plan.remove.length
}

/** The specification, said independently: one line per endpoint of a family, with the ports of its slice. */
function expected(
  spec: { publishNotReadyAddresses: boolean; ipFamilies: readonly string[]; targetPort: number | string },
  pods: readonly PodState[],
): string[] {
  const lines: string[] = []
  for (const pod of pods) {
    if (pod.app !== 'web' || pod.phase === 'Succeeded') continue
    const port = spec.targetPort === 'http' ? pod.port : 8080
    const ready = spec.publishNotReadyAddresses || (pod.ready && !pod.terminating)
    const tail = `${port} ready=${ready} serving=${pod.ready} terminating=${pod.terminating}`
    if (pod.hasAddress && spec.ipFamilies.includes('IPv4')) lines.push(`IPv4 10.0.0.${pod.id} ${tail}`)
    if (pod.ipv6 && spec.ipFamilies.includes('IPv6')) lines.push(`IPv6 fd00::${pod.id + 1} ${tail}`)
  }
  return lines.sort()
}

function shown(slices: Iterable<KubeObject>): string[] {
  return [...slices]
    .flatMap((slice) =>
      list(slice['endpoints']).map((endpoint) => {
        const { ready, serving, terminating } = fields(fields(endpoint)['conditions'])
        const port = fields(list(slice['ports'])[0])['port']
        const address = list(fields(endpoint)['addresses'])[0]
        return `${slice['addressType']} ${address} ${port} ready=${ready} serving=${serving} terminating=${terminating}`
      }),
    )
    .sort()
}

test('slices say what the specification says, after any history', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.array(podState, { maxLength: 8 }), serviceState), { maxLength: 8 }), (history) => {
      const slices = new Map<string, KubeObject>()
      for (const [states, spec] of history) {
        const pods = [...new Map(states.map((pod) => [pod.id, pod])).values()]
        carryOut(serviceObject(spec), pods.map(podObject), slices)
        expect(shown(slices.values())).toEqual(expected(spec, pods))
        const families = new Set([...slices.values()].map((slice) => slice['addressType']))
        expect([...families].sort()).toEqual([...spec.ipFamilies].sort())
      }
    }),
    { numRuns: 300 },
  )
})

describe('many endpoints', () => {
  const state = (id: number, ready = true): PodState => ({
    id,
    app: 'web',
    ready,
    terminating: false,
    phase: 'Running',
    port: 80,
    ipv6: false,
    hasAddress: true,
  })
  const service = serviceObject({})

  test('are spread over slices of a hundred, and the change of one writes one', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(249), fc.boolean(), fc.boolean()), { maxLength: 10 }), (changes) => {
        const slices = new Map<string, KubeObject>()
        const pods = new Map(Array.from({ length: 250 }, (_, id) => [id, podObject(state(id))]))
        expect(carryOut(service, [...pods.values()], slices)).toBe(3)
        for (const [id, present, ready] of changes) {
          const before = canonical([pods.get(id)])
          if (present) pods.set(id, podObject(state(id, ready)))
          else pods.delete(id)
          const changed = canonical([pods.get(id)]) !== before
          expect(carryOut(service, [...pods.values()], slices)).toBe(changed ? 1 : 0)
          for (const slice of slices.values())
            expect(list(slice['endpoints']).length).toBeLessThanOrEqual(MOST_ENDPOINTS)
          expect(shown(slices.values())).toHaveLength(pods.size)
        }
      }),
      { numRuns: 20 },
    )
  })
})

describe('a service', () => {
  test.each([
    ['without a selector', { selector: {} }],
    ['that is another name', { type: 'ExternalName' }],
  ])('%s is left alone', (_, spec) => {
    expect(slicedService(serviceObject(spec))).toBeUndefined()
  })

  test('that is headless says so, and names its pods', () => {
    const pod = podObject({
      id: 1,
      app: 'web',
      ready: true,
      terminating: false,
      phase: 'Running',
      port: 80,
      ipv6: false,
      hasAddress: true,
    })
    const named = { ...pod, spec: { ...fields(pod['spec']), hostname: 'db-0', subdomain: 'web' } }
    const slices = new Map<string, KubeObject>()
    carryOut(serviceObject({ clusterIP: 'None' }), [named], slices)
    const [slice] = slices.values()
    expect(slice?.metadata.labels).toMatchObject({ team: 'a', 'service.kubernetes.io/headless': '' })
    expect(list(slice?.['endpoints'])).toMatchObject([
      { hostname: 'db-0', nodeName: 'here', targetRef: { name: 'pod-1' } },
    ])
  })
})
