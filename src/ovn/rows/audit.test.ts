/** The comparison as a table; and one look at a real northbound database, with rows of others beside ours. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cidr } from '../../network/model/address.ts'
import { examples } from '../../registry/conformance-tools.ts'
import { connectNorthbound } from '../connect.ts'
import { marks } from '../owner.ts'
import { OvnRegistry } from '../registry/registry.ts'
import { type Central, SKIPPED, startCentral } from '../testing/central.ts'
import { auditRows, lookAtRows, type ObjectRow, type RowsLook } from './audit.ts'
import { ensureJoin, ensureRouter } from './routers.ts'

if (SKIPPED !== undefined) console.log(SKIPPED)

const NETWORK = { node: 'w1', machine: { kind: 'node', uid: 'u' }, addresses: [], ranges: ['10.244.1.0/24'] }

function switchRow(change: Partial<ObjectRow> = {}, value: unknown = NETWORK): ObjectRow {
  const ids = { 'weft-kind': 'NodeNetwork', 'weft-name': 'w1', 'weft-revision': '3', 'weft-write': 'x' }
  return {
    ...{ table: 'Logical_Switch', uuid: 'u1', name: 'weft.blue.w1' },
    other_config: new Map([['subnet', '10.244.1.0/24']]),
    external_ids: new Map(Object.entries(marks('blue', 'switch', { ...ids, 'weft-value': JSON.stringify(value) }))),
    ...change,
  }
}

const CLUSTER_ROW: ObjectRow = {
  ...{ table: 'Logical_Router', uuid: 'u0', name: 'weft.blue' },
  external_ids: new Map(
    Object.entries(
      marks('blue', 'router', {
        ...{ 'weft-kind': 'Cluster', 'weft-name': 'default', 'weft-revision': '1', 'weft-write': 'y' },
        'weft-value': JSON.stringify(examples.Cluster.value),
      }),
    ),
  ),
}

const FINE: RowsLook = {
  cluster: 'blue',
  objects: [switchRow()],
  ports: [
    { name: 'p1', purpose: 'port', parent: 'vm1', routerPort: undefined },
    { name: 's-to-r', purpose: 'join', parent: undefined, routerPort: 'r-to-s' },
  ],
  routerPorts: [{ name: 'r-to-s' }],
  switchPortsThere: new Set(['vm1']),
  routerPortsThere: new Set(['r-to-s']),
}

const external = { ...NETWORK, machine: { kind: 'external', vni: 7 } }
const cases: readonly (readonly [what: string, change: Partial<RowsLook>, nodes: string[], found: string[]])[] = [
  ['all is well', {}, ['w1'], []],
  ['an object that is none', { objects: [switchRow({}, 'nothing')] }, ['w1'], ['ovn-row-unreadable']],
  [
    'a subnet that somebody changed',
    { objects: [switchRow({ other_config: new Map([['subnet', '10.9.0.0/24']]) })] },
    ['w1'],
    ['ovn-row-differs'],
  ],
  [
    'what somebody else says of a switch',
    {
      objects: [
        switchRow({ other_config: new Map([...(switchRow().other_config ?? []), ['exclude_ips', '10.244.1.9']]) }),
      ],
    },
    ['w1'],
    [],
  ],
  ['a row that was renamed', { objects: [switchRow({ name: 'mine' })] }, ['w1'], ['ovn-row-differs']],
  ['two rows of one object', { objects: [switchRow(), switchRow({ uuid: 'u2' })] }, ['w1'], ['ovn-row-doubled']],
  ['a Node that is gone', {}, [], ['ovn-row-unwanted']],
  ['a host outside the cluster', { objects: [switchRow({}, external)] }, [], []],
  ['a Node without a row', { objects: [CLUSTER_ROW, switchRow()] }, ['w1', 'w2'], ['ovn-row-missing']],
  ['Nodes whose ranges are kept elsewhere', {}, ['w1', 'w2'], []],
  ['a row that no object is in', { objects: [switchRow(), switchRow({ external_ids: new Map() })] }, ['w1'], []],
  ['a machine that is gone', { switchPortsThere: new Set() }, ['w1'], ['ovn-parent-missing']],
  ['a router’s end that is gone', { routerPortsThere: new Set() }, ['w1'], ['ovn-join-half']],
  ['a switch’s end that is gone', { ports: [] }, ['w1'], ['ovn-join-half']],
]

test.each(cases)('%s', (_, change, nodes, found) => {
  expect(auditRows({ ...FINE, ...change }, new Set(nodes)).map(({ code }) => code)).toEqual([...found] as never)
})

test('where Nodes are not known no row is unwanted or missed', () => {
  expect(auditRows(FINE)).toEqual([])
})

describe.skipIf(SKIPPED !== undefined)('a real northbound database', () => {
  let central: Central

  beforeAll(async () => {
    central = await startCentral({ northd: false })
  }, 60_000)

  afterAll(async () => {
    await central?.stop()
  })

  test('what somebody changed is found, what is others’ is not', async () => {
    const nbd = await connectNorthbound({ remotes: central.remotes, cluster: 'blue' })
    const registry = await OvnRegistry.open(nbd)
    try {
      const machine = { kind: 'node', uid: 'u' } as const
      await registry.create('Cluster', 'default', examples.Cluster.value)
      await registry.create('NodeNetwork', 'w1', {
        node: 'w1',
        machine,
        addresses: [],
        ranges: [cidr('10.244.1.0/24')],
      })
      await registry.create('Tenant', 'shop', { namespace: 'shop', uid: 'u', vni: 7 })
      await ensureRouter(nbd, 'r', { orTheirs: true })
      await ensureJoin(nbd, { router: 'r', switch: 'weft.blue.w1', gateways: ['10.244.1.1/24'] })
      // Others: a half join and a nested port without a parent, a mark of another cluster, and a row that Neutron took.
      await central.nbctl('ls-add', 'theirs', '--', 'lsp-add', 'theirs', 'orphan', 'nobody', '5')
      await central.nbctl('lsp-add', 'theirs', 'end', '--', 'lsp-set-type', 'end', 'router')
      await central.nbctl('lr-add', 'red', '--', 'set', 'Logical_Router', 'red', 'external_ids:weft-cluster=red')
      await central.nbctl('ls-add', 'neutrons')
      const taken = ['weft-cluster=blue', 'weft-for=switch', 'weft-kind=NodeNetwork', 'weft-name=w1', 'weft-value=x']
      const ids = [...taken, '"neutron:network_name"=n'].map((one) => `external_ids:${one}`)
      await central.nbctl('set', 'Logical_Switch', 'neutrons', ...ids)
      expect(auditRows(await lookAtRows(nbd), new Set(['w1']))).toEqual([])
      await central.nbctl('set', 'Logical_Switch', 'weft.blue.w1', 'other_config:subnet=10.9.0.0/24')
      await central.nbctl('lrp-del', 'r-to-weft.blue.w1')
      const found = auditRows(await lookAtRows(nbd), new Set(['w1', 'w2']))
      expect(found).toEqual([
        {
          code: 'ovn-row-differs',
          object: 'Logical_Switch weft.blue.w1',
          detail: 'subnet is 10.9.0.0/24 instead of 10.244.1.0/24',
        },
        { code: 'ovn-row-missing', object: 'Logical_Switch weft.blue.w2', detail: 'the ranges of Node w2' },
        {
          code: 'ovn-join-half',
          object: 'Logical_Switch_Port weft.blue.w1-to-r',
          detail: 'it leads to the router’s port r-to-weft.blue.w1, which is gone',
        },
      ])
    } finally {
      registry.close()
      nbd.close()
    }
  }, 60_000)
})
