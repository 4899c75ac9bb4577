/**
 * Built-in kinds: their defaults, and what is refused. Words and defaults are those of a kube-apiserver 1.32 that was
 * given the same; test/kube asks a real one again.
 */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { KubeObject } from '../../../../kube/object.ts'
import { ApiError } from '../../contract.ts'
import { KINDS } from '../kinds.ts'
import { CHANGES } from './testing/changes.ts'
import { object, pod, service, workload } from './testing/objects.ts'
import { patched, prepared, REFUSED, wordsOf } from './testing/prepare.ts'
import { STORED } from './testing/stored.ts'

describe('is refused', () => {
  for (const [index, [given, words]] of REFUSED.entries()) {
    test(`${given.kind} ${index}: ${words.slice(0, 80)}`, () => expect(wordsOf(() => prepared(given))).toBe(words))
  }
})

describe('a change', () => {
  for (const [index, change] of CHANGES.entries()) {
    const [{ kind }, patch, words] = change
    const verb = words === undefined ? 'is carried out' : 'is refused'
    test(`${kind} ${index} ${verb}: ${JSON.stringify(patch).slice(0, 60)}`, () => {
      expect(wordsOf(() => patched(change))).toBe(words)
    })
  }

  test('adds tolerations, and takes none away', () => {
    const tolerant = pod({ tolerations: [{ key: 'a', operator: 'Exists' }] })
    const more = {
      spec: {
        tolerations: [
          { key: 'a', operator: 'Exists' },
          { key: 'b', operator: 'Exists' },
        ],
      },
    }
    expect(wordsOf(() => patched([tolerant, more, undefined]))).toBeUndefined()
    expect(wordsOf(() => patched([tolerant, { spec: { tolerations: [] } }, undefined]))).toContain('spec: Forbidden')
  })

  test('of a type leaves what belonged to the old one behind', () => {
    const { spec } = patched([
      service({ type: 'NodePort' }, { nodePort: 30_001 }),
      { spec: { type: 'ClusterIP' } },
      undefined,
    ])
    expect(spec).not.toHaveProperty('externalTrafficPolicy')
    expect(spec).toMatchObject({ type: 'ClusterIP', ports: [{ port: 80 }] })
    expect(JSON.stringify(spec)).not.toContain('nodePort')
  })
})

describe('is completed', () => {
  test('a pod', () => {
    expect(prepared(pod({}, { livenessProbe: { httpGet: { port: 80 } } }))['spec']).toEqual({
      containers: [
        {
          name: 'c',
          image: 'i',
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          imagePullPolicy: 'Always',
          livenessProbe: {
            httpGet: { port: 80, path: '/', scheme: 'HTTP' },
            timeoutSeconds: 1,
            periodSeconds: 10,
            successThreshold: 1,
            failureThreshold: 3,
          },
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      securityContext: {},
      schedulerName: 'default-scheduler',
      enableServiceLinks: true,
    })
  })

  test('a deployment', () => {
    expect(prepared(workload('Deployment'))['spec']).toMatchObject({
      replicas: 1,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      template: { spec: { restartPolicy: 'Always', containers: [{ imagePullPolicy: 'Always' }] } },
    })
  })

  test('a service', () => {
    expect(prepared(service({ type: 'NodePort', sessionAffinity: 'ClientIP' }))['spec']).toEqual({
      type: 'NodePort',
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
      internalTrafficPolicy: 'Cluster',
      externalTrafficPolicy: 'Cluster',
    })
  })

  test('a secret, its texts as data', () => {
    const { data, stringData, type } = prepared(
      object('Secret', { stringData: { a: 'ä' }, data: { a: '', b: 'eA==' } }),
    )
    expect({ data, stringData, type }).toEqual({
      data: { a: 'w6Q=', b: 'eA==' },
      stringData: undefined,
      type: 'Opaque',
    })
  })

  test('and stays as it is from then on', () => {
    for (const given of STORED) {
      const stored = prepared(given)
      expect(prepared(stored, stored)).toEqual(stored)
    }
  })

  test('with fields that nobody knows', () => {
    const given = pod({ fromTheFuture: { a: [null] } })
    expect(prepared(given)['spec']).toMatchObject({ fromTheFuture: { a: [null] } })
  })

  test('with a status as it was written', () => {
    const status = { replicas: 0, readyReplicas: 0, conditions: [] }
    expect(prepared({ ...workload('ReplicaSet'), status })['status']).toEqual(status)
  })
})

test('garbage is refused in the words of the API', () => {
  const values = fc.jsonValue({ maxDepth: 3 })
  const base = new Map([...STORED].map((given) => [given.kind, given]))
  fc.assert(
    fc.property(fc.constantFrom(...KINDS), values, fc.nat(), (kind, value, place) => {
      const { group, version } = kind
      const apiVersion = group === '' ? version : `${group}/${version}`
      const right = base.get(kind.kind) ?? object(kind.kind, {}, apiVersion)
      for (const given of [
        replaced(right, value, place),
        object(kind.kind, { spec: value, data: value }, apiVersion),
      ]) {
        try {
          const stored = prepared(given as KubeObject)
          prepared(stored, stored)
        } catch (error) {
          if (!(error instanceof ApiError) || (error.status !== 400 && error.status !== 422)) throw error
        }
      }
    }),
    { numRuns: 2000 },
  )
})

/** An object with another value at one of its places, outside the metadata. */
function replaced({ apiVersion, kind, metadata, ...rest }: KubeObject, value: unknown, place: number): unknown {
  let places = 0
  JSON.stringify(rest, (_key, each) => {
    places += 1
    return each
  })
  const chosen = 1 + (place % Math.max(1, places - 1))
  let at = -1
  const text = JSON.stringify(rest, (_key, each) => {
    at += 1
    return at === chosen ? value : each
  })
  return { apiVersion, kind, metadata, ...JSON.parse(text) }
}
