/**
 * Policies of the whole cluster, in front of those of namespaces and behind them.
 * @module
 */
import type { E2eCase, Stage } from '../../tables/policy/e2e.ts'
import {
  allow,
  clusterPolicy,
  labelled,
  networkPolicy,
  podsOf,
  port,
  range,
  rule,
} from '../../tables/policy/objects.ts'

const A = labelled({ pod: 'a' })
const X = labelled({ ns: 'x' })
const Y = podsOf(labelled({ ns: 'y' }))
const EVERYBODY = podsOf([])
const HOMES = [range('10.128.0.0/14'), range('fd00:10:128::/48')]

const cells = (...list: NonNullable<Stage['expect'][number]>['cells']): Stage['expect'] => [{ cells: list }]
const deny = networkPolicy('x', 'deny', [], { ingress: [] })
const allowAll = networkPolicy('x', 'allow-all', [], { ingress: [allow()] })

export const TIER_CASES: readonly E2eCase[] = [
  {
    name: 'AdminNetworkPolicy: a deny beats whoever allows; passes; by its priority',
    policies: [
      allowAll,
      clusterPolicy(
        'AdminNetworkPolicy',
        'admin',
        'no-y',
        50,
        { ingress: [rule('deny', { name: 'no-y', peers: [Y] })] },
        X,
        A,
      ),
    ],
    stages: [
      { about: 'denied', expect: cells(['y/*', 'x/a', false]) },
      {
        about: 'an allow for a port in front of it',
        steps: [
          {
            op: 'put-policy',
            policy: clusterPolicy(
              'AdminNetworkPolicy',
              'admin',
              'eighty',
              10,
              { ingress: [allow([Y], [port(80)])] },
              X,
              A,
            ),
          },
        ],
        expect: [{ cells: [['y/*', 'x/a', false]] }, { on: ['TCP/80'], cells: [] }],
      },
      {
        about: 'a pass in front of both, and the namespace denies',
        steps: [
          { op: 'remove-policy', key: 'NetworkPolicy/x/allow-all' },
          { op: 'put-policy', policy: deny },
          {
            op: 'put-policy',
            policy: clusterPolicy(
              'AdminNetworkPolicy',
              'admin',
              'over',
              1,
              { ingress: [rule('pass', { peers: [EVERYBODY], ports: [port(80)] })] },
              X,
              A,
            ),
          },
        ],
        expect: cells(['*', 'x/*', false]),
      },
    ],
  },
  {
    name: 'AdminNetworkPolicy: out to networks',
    policies: [
      clusterPolicy(
        'AdminNetworkPolicy',
        'admin',
        'stay',
        5,
        { egress: [rule('deny', { peers: HOMES, ports: [port(81)] })] },
        X,
        A,
      ),
    ],
    stages: [{ about: 'denied', expect: [{ cells: [] }, { on: ['TCP/81'], cells: [['x/a', '*', false]] }] }],
  },
  {
    name: 'BaselineAdminNetworkPolicy: counts where no namespace says anything',
    policies: [
      networkPolicy('x', 'one', A, { ingress: [allow([Y])] }),
      clusterPolicy('BaselineAdminNetworkPolicy', 'baseline', 'default', 0, {
        ingress: [rule('deny', { peers: [EVERYBODY] })],
      }),
    ],
    stages: [{ about: 'denied', expect: cells(['*', '*', false], ['y/*', 'x/a', true]) }],
  },
  {
    name: 'ClusterNetworkPolicy: both tiers',
    policies: [
      clusterPolicy(
        'ClusterNetworkPolicy',
        'admin',
        'open',
        7,
        { ingress: [allow([EVERYBODY], [port(80, 'UDP')])] },
        X,
      ),
      clusterPolicy(
        'ClusterNetworkPolicy',
        'baseline',
        'closed',
        9,
        { ingress: [rule('deny', { peers: [EVERYBODY] })] },
        X,
      ),
    ],
    stages: [
      { about: 'one port', expect: [{ cells: [['*', 'x/*', false]] }, { on: ['UDP/80'], cells: [] }] },
      {
        about: 'and what the namespace says',
        steps: [{ op: 'put-policy', policy: allowAll }],
        expect: cells(),
      },
      {
        about: 'and nothing',
        steps: ['ClusterNetworkPolicy/open', 'ClusterNetworkPolicy/closed', 'NetworkPolicy/x/allow-all'].map(
          (key) => ({ op: 'remove-policy', key }) as const,
        ),
        expect: cells(),
      },
    ],
  },
]
