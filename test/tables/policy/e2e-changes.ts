/** What changes while connections are asked about. */
import type { E2eCase } from './e2e.ts'
import { A, ALL, cells, NOBODY, nsName, only, onPorts, x } from './e2e-words.ts'
import { allow, demand, labelled, NAMESPACES, namespace, PODS, pod, podsIn, podsOf, port } from './objects.ts'

const deny = x('deny', [], NOBODY)
const fromTeam = x('p', A, { ingress: [allow([podsOf(demand('team', 'In', 'red'))])] })
const fromTier = x('p', A, { ingress: [allow([podsOf([], labelled({ tier: 'web' }))])] })
const byLabel = x('p', labelled({ role: 'target' }), NOBODY)
const relabelled = (where: string, name: string, labels: Record<string, string>) => {
  const old = PODS.find((one) => one.namespace === where && one.name === name)
  return { op: 'put-pod', pod: { ...(old ?? pod(where, name, 1, 99)), labels: { pod: name, ...labels } } } as const
}

export const CHANGES: readonly E2eCase[] = [
  {
    name: 'a policy is updated',
    policies: [x('p', A, { ingress: [allow()] })],
    stages: [
      { about: 'allow all', expect: ALL },
      {
        about: 'one port',
        steps: [{ op: 'put-policy', policy: x('p', A, { ingress: [allow(undefined, [port(81)])] }) }],
        expect: onPorts('x/a', ['TCP/81'], []),
      },
      {
        about: 'another port',
        steps: [{ op: 'put-policy', policy: x('p', A, { ingress: [allow(undefined, [port(80)])] }) }],
        expect: onPorts('x/a', ['TCP/80'], []),
      },
    ],
  },
  {
    name: 'a namespace’s labels change',
    policies: [fromTeam],
    stages: [
      { about: 'no label', expect: cells(['*', 'x/a', false]) },
      {
        about: 'the label',
        steps: [{ op: 'put-namespace', namespace: namespace('y', { team: 'red' }) }],
        expect: cells(...only('x/a', 'y/*')),
      },
      {
        about: 'no label again',
        steps: [{ op: 'put-namespace', namespace: namespace('y') }],
        expect: cells(['*', 'x/a', false]),
      },
    ],
  },
  {
    name: 'a pod’s labels change: as a peer',
    policies: [fromTier],
    stages: [
      { about: 'no label', expect: cells(['*', 'x/a', false]) },
      { about: 'the label', steps: [relabelled('y', 'b', { tier: 'web' })], expect: cells(...only('x/a', 'y/b')) },
      { about: 'another', steps: [relabelled('y', 'b', { tier: 'db' })], expect: cells(['*', 'x/a', false]) },
    ],
  },
  {
    name: 'a pod’s labels change: as a target',
    policies: [byLabel],
    stages: [
      { about: 'no label', expect: ALL },
      { about: 'the label', steps: [relabelled('x', 'b', { role: 'target' })], expect: cells(['*', 'x/b', false]) },
      { about: 'no label again', steps: [relabelled('x', 'b', {})], expect: ALL },
    ],
  },
  {
    name: 'deny ingress to a pod, then delete the policy',
    policies: [deny],
    stages: [
      { about: 'the policy', expect: cells(['*', 'x/*', false]) },
      { about: 'no policy', steps: [{ op: 'remove-policy', key: 'NetworkPolicy/x/deny' }], expect: ALL },
    ],
  },
  {
    name: 'a policy comes after the pods',
    policies: [],
    stages: [
      { about: 'no policy', expect: ALL },
      { about: 'the policy', steps: [{ op: 'put-policy', policy: deny }], expect: cells(['*', 'x/*', false]) },
    ],
  },
  {
    name: 'from other namespaces nothing, from the own all',
    policies: [x('p', [], { ingress: [allow([podsIn('x')])] })],
    stages: [
      { about: 'at the beginning', expect: cells(...only('x/*', 'x/*')) },
      {
        about: 'a pod moved to another node, with another address',
        steps: [
          { op: 'remove-pod', key: 'x/c' },
          { op: 'put-pod', pod: pod('x', 'c', 2, 40) },
        ],
        expect: cells(...only('x/*', 'x/*')),
      },
      {
        about: 'its old address is another pod’s now',
        steps: [{ op: 'put-pod', pod: pod('z', 'c', 1, 4) }],
        expect: cells(...only('x/*', 'x/*')),
      },
    ],
  },
  {
    name: 'a namespace without labels of its own',
    policies: [x('p', A, { ingress: [allow([podsOf(nsName('z'))])] })],
    namespaces: [...NAMESPACES.slice(0, 2), { name: 'z', uid: 'uid-z' }],
    stages: [{ about: 'at the beginning', expect: cells(...only('x/a', 'z/*')) }],
  },
]
