/** Who is isolated, and who may come or go. */
import type { E2eCase } from './e2e.ts'
import { A, ALL, cells, fixed, NOBODY, nsName, only, onlyTo, X, x, Y } from './e2e-words.ts'
import { allow, demand, labelled, networkPolicy, podsIn, podsOf } from './objects.ts'

export const SELECTORS: readonly E2eCase[] = [
  fixed('deny ingress in a namespace', [x('deny', [], NOBODY)], cells(['*', 'x/*', false])),
  fixed(
    'deny all, in and out',
    [x('deny', [], { ingress: [], egress: [] })],
    cells(['*', 'x/*', false], ['x/*', '*', false]),
  ),
  fixed(
    'from pods by label',
    [x('p', A, { ingress: [allow([podsIn('x', labelled({ pod: 'b' }))])] })],
    cells(...only('x/a', 'x/b')),
  ),
  fixed(
    'to one pod in a namespace',
    [x('p', A, { ingress: [allow()] }), x('deny', [], NOBODY)],
    cells(['*', 'x/*', false], ['*', 'x/a', true]),
  ),
  fixed('from a namespace by label', [x('p', A, { ingress: [allow([podsOf(Y)])] })], cells(...only('x/a', 'y/*'))),
  fixed(
    'from namespaces, for all of a namespace',
    [x('p', [], { ingress: [allow([podsOf(demand('ns', 'In', 'y', 'z'))])] })],
    cells(...only('x/*', 'y/*', 'z/*')),
  ),
  fixed(
    'namespaces by an expression on their name',
    [x('p', A, { ingress: [allow([podsOf(demand('kubernetes.io/metadata.name', 'NotIn', 'x'))])] })],
    cells(...only('x/a', 'y/*', 'z/*')),
  ),
  fixed(
    'pods by an expression',
    [x('p', A, { ingress: [allow([podsIn('x', demand('pod', 'In', 'b'))])] })],
    cells(...only('x/a', 'x/b')),
  ),
  fixed(
    'namespaces by an expression',
    [x('p', A, { ingress: [allow([podsOf(demand('ns', 'In', 'y'))])] })],
    cells(...only('x/a', 'y/*')),
  ),
  fixed(
    'pods or namespaces',
    [x('p', A, { ingress: [allow([podsOf(demand('ns', 'NotIn', 'x', 'z')), podsIn('x', labelled({ pod: 'b' }))])] })],
    cells(...only('x/a', 'y/*', 'x/b')),
  ),
  fixed(
    'pods and namespaces',
    [x('p', A, { ingress: [allow([podsOf(demand('ns', 'NotIn', 'x', 'z'), labelled({ pod: 'b' }))])] })],
    cells(...only('x/a', 'y/b')),
  ),
  fixed(
    'several pods of several namespaces',
    [x('p', A, { ingress: [allow([podsOf(demand('ns', 'NotIn', 'x'), demand('pod', 'In', 'b', 'c'))])] })],
    cells(...only('x/a', 'y/b', 'y/c', 'z/b', 'z/c')),
  ),
  fixed('any pod of any namespace', [x('p', A, { ingress: [allow([podsOf([])])] })], ALL),
  fixed(
    'labels that are not there',
    [
      x('p', A, {
        ingress: [allow([podsOf([], demand('tier', 'DoesNotExist')), podsIn('x', demand('tier', 'Exists'))])],
      }),
    ],
    ALL,
  ),
  fixed(
    'only one namespace, by its name',
    [x('p', A, { ingress: [allow([podsOf(nsName('y'))])] })],
    cells(...only('x/a', 'y/*')),
  ),
  fixed(
    'out to one namespace, by its name',
    [x('p', A, { egress: [allow([podsOf(nsName('y'))])] })],
    cells(...onlyTo('x/a', 'y/*')),
  ),
]

export const EGRESS: readonly E2eCase[] = [
  fixed('out of a namespace, nothing', [x('p', [], { egress: [] })], cells(['x/*', '*', false])),
  fixed('out of a pod, nothing', [x('p', A, { egress: [] })], cells(['x/a', '*', false])),
  fixed(
    'out of a pod by label, to a pod by label',
    [x('p', A, { egress: [allow([podsOf([], labelled({ pod: 'b' }))])] })],
    cells(...onlyTo('x/a', 'x/b', 'y/b', 'z/b')),
  ),
  fixed(
    'out and in, of one policy',
    [x('p', A, { ingress: [allow([podsOf(Y)])], egress: [allow([podsOf(labelled({ ns: 'z' }))])] })],
    cells(...only('x/a', 'y/*'), ...onlyTo('x/a', 'z/*')),
  ),
  fixed('only in: out is free', [x('p', A, { ingress: [] })], cells(['*', 'x/a', false])),
  fixed('only out: in is free', [x('p', A, { egress: [] })], cells(['x/a', '*', false])),
  fixed(
    'both ends: out of one, into the other',
    [
      x('out', A, { egress: [allow([podsOf(Y)])] }),
      networkPolicy('y', 'in', A, { ingress: [allow([podsOf(X, labelled({ pod: 'b' }))])] }),
    ],
    cells(...onlyTo('x/a', 'y/*'), ...only('y/a', 'x/b')),
  ),
  fixed(
    'several rules, in and out',
    [
      x('p', A, {
        ingress: [allow([podsIn('x', labelled({ pod: 'b' }))]), allow([podsOf(Y)])],
        egress: [allow([podsIn('x', labelled({ pod: 'c' }))]), allow([podsOf(labelled({ ns: 'z' }))])],
      }),
    ],
    cells(...only('x/a', 'x/b', 'y/*'), ...onlyTo('x/a', 'x/c', 'z/*')),
  ),
]
