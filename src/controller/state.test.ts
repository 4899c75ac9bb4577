import { describe, expect, test } from 'bun:test'
import { VniPool } from '../ipam/vni.ts'
import { cidr, ip } from '../network/model/address.ts'
import type { Cluster } from '../network/model/cluster.ts'
import type { Tenant } from '../network/model/tenant.ts'
import type { Stored } from '../registry/registry.ts'
import { ControllerState, INPUTS } from './state.ts'
import { clusterOf } from './testing/cluster.ts'
import type { Write, WriteOf } from './write.ts'

/** A state that knows a cluster and these tenants, each with its namespace. */
function stateOf(tenants: readonly Tenant[], pool?: VniPool, cluster: Partial<Cluster> = {}): ControllerState {
  const state = new ControllerState(() => 0, pool)
  for (const kind of INPUTS) state.listed(kind, { revision: 1, objects: [] })
  state.heard('Cluster', { type: 'put', object: { name: 'default', revision: 2, value: clusterOf(cluster) } })
  for (const [index, tenant] of tenants.entries()) {
    const { namespace } = tenant
    addNamespace(state, namespace)
    state.heard('Tenant', { type: 'put', object: { name: namespace, revision: 20 + index, value: withUid(tenant) } })
  }
  return state
}

function addNamespace(state: ControllerState, name: string): void {
  state.heard('Namespace', { type: 'put', object: { name, revision: 10, value: { name, uid: `uid-${name}` } } })
}

function addNode(state: ControllerState, name: string): void {
  const value = { name, uid: name, addresses: [ip('192.0.2.1')] }
  state.heard('Node', { type: 'put', object: { name, revision: 10, value } })
}

function withUid(tenant: Tenant): Tenant {
  return { ...tenant, uid: `uid-${tenant.namespace}` }
}

function answerOf(write: Write | undefined, revision: number): Stored<'Tenant'> {
  if (write === undefined || write.op === 'delete') throw new Error('nothing was written')
  return { name: write.name, revision, value: write.value as Tenant }
}

/** The next write makes a network, without ranges. */
function createNetwork(state: ControllerState, revision: number): void {
  const write = state.next()
  if (write?.op !== 'create' || write.kind !== 'NodeNetwork') throw new Error('no network was made')
  expect(write.value.ranges).toEqual([])
  state.made(write, { name: write.name, revision, value: write.value })
}

/** The next write gives ranges. */
function updateOf(state: ControllerState): Extract<WriteOf<'NodeNetwork'>, { readonly op: 'update' }> {
  const write = state.next()
  if (write?.op !== 'update' || write.kind !== 'NodeNetwork') throw new Error('no range was given')
  return write
}

function vniIn(write: Write | undefined): number | undefined {
  return write?.op !== 'delete' && write?.kind === 'Tenant' ? write.value.vni : undefined
}

describe('what is on its way', () => {
  test('decides what is joined', () => {
    const state = stateOf([
      { namespace: 'red', vni: 20, request: { id: 'r', action: 'isolate' } },
      { namespace: 'green', vni: 20 },
      { namespace: 'blue', vni: 30, request: { id: 'r', action: 'join', target: 'red' } },
    ])
    const isolation = state.next() as Write
    expect(vniIn(isolation)).toBe(10)
    // Red's place is not known before it is answered.
    expect(state.next()).toBeUndefined()
    state.made(isolation, answerOf(isolation, 50))
    expect(vniIn(state.next())).toBe(10)
  })

  test('is nobody else’s, whatever becomes of it', () => {
    const state = stateOf([])
    for (const name of ['red', 'green', 'blue']) addNamespace(state, name)
    const [red, green] = [state.next() as Write, state.next() as Write]
    expect([vniIn(red), vniIn(green)]).toEqual([10, 11])
    // Red's write was given up and may yet be made; it is repeated as it was.
    state.found(red, undefined, 'unknown')
    expect(vniIn(state.next())).toBe(12)
    state.retry(red)
    expect(vniIn(state.next())).toBe(10)
  })

  test('is nobody else’s when it is given up and its namespace is gone: it may arrive yet', () => {
    const state = stateOf([])
    addNamespace(state, 'red')
    const creation = state.next() as Write
    const value = { name: 'red', uid: 'uid-red' }
    state.heard('Namespace', { type: 'delete', object: { name: 'red', revision: 11, value } })
    state.found(creation, undefined, 'unknown')
    expect(state.next()).toBeUndefined()
    addNamespace(state, 'green')
    expect([vniIn(creation), vniIn(state.next())]).toEqual([10, 11])
  })

  test('is counted once when it was made and only the answer was lost', () => {
    const state = stateOf([])
    addNamespace(state, 'red')
    const creation = state.next() as Write
    state.found(creation, answerOf(creation, 50), 'unknown')
    const request = { id: 'r', action: 'isolate' } as const
    const value = { ...answerOf(creation, 50).value, request }
    state.heard('Tenant', { type: 'put', object: { name: 'red', revision: 51, value } })
    // It is alone on its VNI already, and keeps it.
    expect(vniIn(state.next())).toBe(10)
  })

  test('is free again when it was refused', () => {
    const state = stateOf([])
    for (const name of ['red', 'green']) addNamespace(state, name)
    const red = state.next() as Write
    state.found(red, { name: 'red', revision: 50, value: withUid({ namespace: 'red', vni: 99 }) }, 'refused')
    expect(vniIn(state.next())).toBe(10)
  })
})

test('a refusal that stands is not written again, and a restart says nothing new', () => {
  const request = { id: 'r', action: 'join', target: 'nobody' } as const
  const state = stateOf([{ namespace: 'red', vni: 20, request }])
  const refusal = state.next() as Write
  expect(refusal).toMatchObject({ value: { request }, notice: { code: 'TENANT_UNKNOWN_TARGET' } })
  const answer = answerOf(refusal, 50)
  state.made(refusal, answer)
  expect(state.next()).toBeUndefined()
  expect(stateOf([answer.value]).next()).toBeUndefined()
})

test('a registry that keeps less than is written is not written to for ever', () => {
  const request = { id: 'r', action: 'join', target: 'nobody' } as const
  const state = stateOf([{ namespace: 'red', vni: 20, request }])
  const refusal = state.next() as Write
  // The object is as before: its definition knows no status.
  expect(
    state.made(refusal, { name: 'red', revision: 20, value: withUid({ namespace: 'red', vni: 20, request }) }),
  ).toBe(false)
  expect(state.next()).toBeUndefined()
  state.heard('Tenant', {
    type: 'put',
    object: { name: 'red', revision: 60, value: withUid({ namespace: 'red', vni: 20 }) },
  })
  expect(state.next()).toBeUndefined()
})

test('a tenant that nobody can read is said in its namespace, and not written over', () => {
  const state = stateOf([])
  addNamespace(state, 'red')
  const creation = state.next() as Write
  state.unreadable(creation, 'netid 99999999')
  const problem = expect.stringContaining('netid 99999999')
  expect(state.next()).toMatchObject({ kind: 'Namespace', value: { problem }, notice: { code: 'TENANT_UNREADABLE' } })
  expect(state.next()).toBeUndefined()
})

test('a free VNI goes to those who wait for one', () => {
  const state = stateOf(
    [
      { namespace: 'red', vni: 10 },
      { namespace: 'green', vni: 11 },
    ],
    new VniPool(10, 11),
  )
  addNamespace(state, 'blue')
  const explained = state.next() as Write
  expect(explained).toMatchObject({ kind: 'Namespace', notice: { code: 'IPAM_VNIS_EXHAUSTED' } })
  state.made(explained, { ...answerOf(explained, 30), name: 'blue' })
  expect(state.next()).toBeUndefined()
  state.heard('Tenant', { type: 'delete', object: { name: 'red', revision: 90, value: { namespace: 'red', vni: 10 } } })
  expect([state.next(), state.next()].map(vniIn)).toContain(10)
})

test('a range on its way is nobody else’s', () => {
  const state = stateOf([])
  for (const name of ['a', 'b', 'c']) addNode(state, name)
  for (const revision of [11, 12, 13]) createNetwork(state, revision)
  const a = updateOf(state)
  const b = updateOf(state)
  state.found(a, { name: 'a', revision: 11, value: { ...a.value, ranges: [] } }, 'unknown')
  const c = updateOf(state)
  expect(new Set([a, b, c].map(({ value }) => value.ranges[0])).size).toBe(3)
  // It was given up and may yet be made: it is repeated as it was.
  state.retry(a)
  expect(updateOf(state).value.ranges).toEqual([cidr('10.128.0.0/23')])
})

test('ranges are given in the order in which nodes came, whichever record is there first', () => {
  const state = stateOf([])
  for (const name of ['b', 'a']) addNode(state, name)
  const [b, a] = [state.next(), state.next()]
  for (const [index, write] of [a, b].entries()) {
    if (write?.op !== 'create' || write.kind !== 'NodeNetwork') throw new Error('no network was made')
    state.made(write, { name: write.name, revision: 11 + index, value: write.value })
  }
  const ranges = [updateOf(state), updateOf(state)].map(({ name, value }) => [name, ...value.ranges])
  expect(ranges).toEqual([
    ['a', cidr('10.129.0.0/23')],
    ['b', cidr('10.128.0.0/23')],
  ])
})

for (const { title, addresses } of [
  { title: 'is right', addresses: ['192.0.2.1'] },
  { title: 'is to be corrected', addresses: [] },
]) {
  test(`what was chosen for a node is free when somebody made its record with other ranges, which ${title}`, () => {
    const [first, second] = [cidr('10.128.0.0/24'), cidr('10.128.1.0/24')]
    const state = stateOf([], undefined, { networks: [{ cidr: cidr('10.128.0.0/23'), hostBits: 8 }] })
    addNode(state, 'a')
    const creation = state.next() as Write
    const machine = { kind: 'node', uid: 'a' } as const
    const theirs = { node: 'a', machine, addresses: addresses.map(ip), ranges: [second] }
    state.found(creation, { name: 'a', revision: 11, value: theirs }, 'refused')
    addNode(state, 'b')
    if (addresses.length === 0) expect(updateOf(state).value.ranges).toEqual([second])
    createNetwork(state, 12)
    expect(updateOf(state)).toMatchObject({ name: 'b', value: { ranges: [first] } })
  })
}

test('what was chosen for a node is chosen anew when the networks are others', () => {
  const state = stateOf([])
  addNode(state, 'a')
  const creation = state.next()
  if (creation?.op !== 'create' || creation.kind !== 'NodeNetwork') throw new Error('no network was made')
  const value = clusterOf({ networks: [{ cidr: cidr('10.9.0.0/16'), hostBits: 9 }] })
  state.heard('Cluster', { type: 'put', object: { name: 'default', revision: 11, value } })
  state.made(creation, { name: 'a', revision: 12, value: creation.value })
  const { ranges, problem } = updateOf(state).value
  expect([ranges, problem]).toEqual([[cidr('10.9.0.0/23')], undefined])
})

test('an edit that comes before the controller looked at its own write is put back', async () => {
  const state = new ControllerState(() => 0)
  for (const kind of INPUTS) state.listed(kind, { revision: 1, objects: [] })
  const node = { name: 'a', uid: 'u', addresses: [ip('192.0.2.1')] }
  state.heard('Cluster', { type: 'put', object: { name: 'default', revision: 2, value: clusterOf() } })
  state.heard('Node', { type: 'put', object: { name: 'a', revision: 3, value: node } })
  createNetwork(state, 4)
  const write = updateOf(state)
  state.made(write, { name: 'a', revision: 5, value: write.value })
  const edited = { ...write.value, ranges: [cidr('10.128.8.0/23')] }
  state.heard('NodeNetwork', { type: 'put', object: { name: 'a', revision: 6, value: edited } })
  expect(state.next()).toMatchObject({
    value: { ranges: write.value.ranges },
    notice: { code: 'NODE_NETWORK_PUT_BACK' },
  })
})

test('what is edited while a write for it is on its way is nobody else’s', async () => {
  const state = new ControllerState(() => 0)
  const addresses = [ip('192.0.2.1')]
  const recorded = {
    node: 'a',
    machine: { kind: 'node' as const, uid: 'u' },
    addresses: [],
    ranges: [cidr('10.128.0.0/23')],
  }
  for (const kind of INPUTS) state.listed(kind, { revision: 1, objects: [] })
  state.heard('Cluster', { type: 'put', object: { name: 'default', revision: 2, value: clusterOf() } })
  state.heard('Node', { type: 'put', object: { name: 'a', revision: 3, value: { name: 'a', uid: 'u', addresses } } })
  state.heard('NodeNetwork', { type: 'put', object: { name: 'a', revision: 4, value: recorded } })
  const write = state.next()
  if (write?.op !== 'update' || write.kind !== 'NodeNetwork') throw new Error('no address was written')
  state.heard('NodeNetwork', { type: 'put', object: { name: 'a', revision: 6, value: { ...recorded, ranges: [] } } })
  state.heard('Node', { type: 'put', object: { name: 'b', revision: 7, value: { name: 'b', uid: 'v', addresses } } })
  createNetwork(state, 8)
  expect(updateOf(state).value.ranges).not.toContain(cidr('10.128.0.0/23'))
  state.made(write, { name: 'a', revision: 5, value: write.value })
  expect(state.next()).toMatchObject({ op: 'update', name: 'a', value: { ranges: recorded.ranges } })
})

test('a change that leaves out a node is not followed, and told, until the node is gone', () => {
  const state = new ControllerState(() => 0.5)
  const put = (revision: number, value: Cluster) =>
    state.heard('Cluster', { type: 'put', object: { name: 'default', revision, value } })
  put(2, clusterOf())
  const recorded = {
    node: 'a',
    machine: { kind: 'node' as const, uid: 'u' },
    addresses: [],
    ranges: [cidr('10.128.0.0/23')],
  }
  const network = { name: 'a', revision: 3, value: recorded }
  state.heard('Node', {
    type: 'put',
    object: { name: 'a', revision: 3, value: { name: 'a', uid: 'u', addresses: [] } },
  })
  state.heard('NodeNetwork', { type: 'put', object: network })
  put(4, clusterOf({ networks: [{ cidr: cidr('10.9.0.0/16'), hostBits: 9 }] }))
  expect(state.refusal).toEqual(
    expect.objectContaining({ code: 'CLUSTER_CHANGE_REFUSED', message: expect.stringContaining('pods of a') }),
  )
  state.heard('NodeNetwork', { type: 'delete', object: { ...network, revision: 5 } })
  expect(state.refusal).toBeUndefined()
})
