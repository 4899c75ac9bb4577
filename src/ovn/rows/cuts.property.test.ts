/**
 * Whatever is asked in whatever order while connections are cut in the middle of answers: at the end exactly what was asked
 * for is there, once, and what is of others is as it was.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import fc from 'fast-check'
import { cidr } from '../../network/model/address.ts'
import { type FaultProxy, startFaultProxy } from '../../ovs/ovsdb/testing/fault-proxy.ts'
import { connectNorthbound, type Northbound } from '../connect.ts'
import { setName } from '../names.ts'
import { type Central, SKIPPED, startCentral } from '../testing/central.ts'
import { ensureGroup, removeGroup } from './groups.ts'
import { ownedRows } from './owned.ts'
import { ensurePort, removePort } from './ports.ts'
import { ensureJoin, ensureRouter } from './routers.ts'
import { ensureSwitch, removeSwitch } from './switches.ts'

type Step =
  | { readonly do: 'port' | 'no port'; readonly n: number }
  | { readonly do: 'switch' | 'no switch' | 'join'; readonly n: number }
  | { readonly do: 'group' | 'no group' }
  | { readonly do: 'cut'; readonly afterBytes: number }

/** So much a server says until a connection is set up, the schema above all; a little more gets something done. */
const SETUP_BYTES = 16_300

const PORTS = 4
const SWITCHES = 3

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('port', 'no port'), n: fc.nat(PORTS - 1) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('switch', 'no switch', 'join'), n: fc.nat(SWITCHES - 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('group', 'no group') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('cut'), afterBytes: fc.nat(1500) }) },
) as fc.Arbitrary<Step>

/** What there is to be. Ports are in the switch `s0`, behind the port of a machine in somebody else's switch. */
class Model {
  readonly ports = new Set<number>()
  readonly switches = new Set<number>()
  readonly joins = new Set<number>()
  hasGroup = false

  rows(): readonly string[] {
    return [
      'Logical_Router r',
      ...[...this.switches].map((n) => `Logical_Switch s${n}`),
      ...[...this.ports].map((n) => `Logical_Switch_Port p${n}`),
      ...[...this.joins].flatMap((n) => [`Logical_Switch_Port s${n}-to-r`, `Logical_Router_Port r-to-s${n}`]),
      ...(this.hasGroup ? [`Port_Group ${GROUP}`] : []),
    ].toSorted()
  }
}

const GROUP = setName('blue', 'all')

if (SKIPPED !== undefined) console.log(SKIPPED)

describe.skipIf(SKIPPED !== undefined)('rows under cuts', () => {
  let central: Central
  let proxy: FaultProxy
  let nbd: Northbound

  beforeAll(async () => {
    central = await startCentral()
    proxy = await startFaultProxy(join(central.folder, 'proxy.sock'), central.servers[0]?.socket ?? '')
    nbd = await connectNorthbound({
      ...{ remotes: `unix:${proxy.path}`, cluster: 'blue', timeoutMs: 50_000 },
      ...{ backoffMs: { first: 1, max: 10 }, probeIntervalMs: 500 },
    })
    await central.nbctl(
      'ls-add',
      'theirs',
      '--',
      'lsp-add',
      'theirs',
      'vm',
      '--',
      'lsp-add',
      'theirs',
      'sub',
      'vm',
      '1',
    )
    await central.nbctl(
      'lr-add',
      'their-router',
      '--',
      'pg-add',
      'their_group',
      'vm',
      '--',
      'acl-add',
      'their_group',
      'to-lport',
      '1',
      '1',
      'drop',
    )
  }, 60_000)

  afterAll(async () => {
    nbd?.close()
    await proxy?.close()
    await central?.stop()
  }, 60_000)

  test('exactly what was asked for is there, and nothing of others changed', async () => {
    const foreign = () => central.nbctl('list', 'Port_Group', 'their_group')
    const before = await foreign()
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 15, maxLength: 40 }), async (steps) => {
        const model = new Model()
        proxy.setFault({ kind: 'none' })
        await ensureRouter(nbd, 'r')
        await follow(model, { do: 'switch', n: 0 })
        for (const one of steps) await follow(model, one)
        proxy.setFault({ kind: 'none' })
        const rows = await ownedAfterCuts()
        expect(rows.map(({ table, name }) => `${table} ${name}`).toSorted()).toEqual([...model.rows()])
        const acls = await central.nbctl('--bare', '--columns=_uuid', 'find', 'ACL', 'external_ids:weft-cluster=blue')
        expect(acls === '' ? 0 : acls.split('\n').length).toBe(model.hasGroup ? 1 : 0)
        expect(await central.nbctl('lsp-list', 'theirs')).toMatch(/^\S+ \((vm|sub)\)\n\S+ \((vm|sub)\)$/)
        expect(await foreign()).toBe(before)
        await clear(model)
      }),
      { numRuns: 40, interruptAfterTimeLimit: 40_000 },
    )
    // Each cut is a connection more.
    expect(proxy.accepted).toBeGreaterThan(20)
  }, 120_000)

  async function follow(model: Model, one: Step): Promise<void> {
    switch (one.do) {
      case 'cut':
        proxy.setFault({ kind: 'cut', afterBytes: SETUP_BYTES + one.afterBytes })
        return
      case 'switch':
        await ensureSwitch(nbd, { name: `s${one.n}`, subnets: [cidr(`10.${one.n}.0.0/24`)] })
        model.switches.add(one.n)
        return
      case 'no switch':
        await removeSwitch(nbd, `s${one.n}`)
        model.switches.delete(one.n)
        model.joins.delete(one.n)
        if (one.n === 0) model.ports.clear()
        return
      case 'join':
        if (!model.switches.has(one.n)) return
        await ensureJoin(nbd, { router: 'r', switch: `s${one.n}`, gateways: [`10.${one.n}.0.1/24`] })
        model.joins.add(one.n)
        return
      case 'port':
        if (!model.switches.has(0)) return
        await ensurePort(nbd, {
          ...{ switch: 's0', name: `p${one.n}`, addresses: [`0a:58:0a:00:00:0${one.n} 10.0.0.${10 + one.n}`] },
          nested: { parent: 'vm', tag: 'any' },
        })
        model.ports.add(one.n)
        return
      case 'no port':
        await removePort(nbd, `p${one.n}`)
        model.ports.delete(one.n)
        return
      case 'group':
        await ensureGroup(nbd, {
          ...{ name: GROUP, ports: [...model.ports].map((n) => `p${n}`) },
          rules: [{ direction: 'to-lport', priority: 1, match: `outport == @${GROUP}`, action: 'drop' }],
        })
        model.hasGroup = true
        return
      case 'no group':
        await removeGroup(nbd, GROUP)
        model.hasGroup = false
    }
  }

  /** A question is not repeated by itself: the cut may be still to come. */
  async function ownedAfterCuts() {
    for (;;) {
      try {
        return await ownedRows(nbd)
      } catch {
        await nbd.client.whenConnected()
      }
    }
  }

  async function clear(model: Model): Promise<void> {
    for (const n of model.switches) await removeSwitch(nbd, `s${n}`)
    await removeGroup(nbd, GROUP)
  }
})
