/** Routes in a kernel's namespace of its own. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { closeSync, openSync } from 'node:fs'
import { openRtnl, type RtnlSocket, routeDel, routeList } from '../../linux/index.ts'
import { localRange } from '../../network/context.ts'
import { DIRECT, type DirectPlan, LEAVE_TABLE, OUTSIDE_TABLE } from '../../network/fabric/direct.ts'
import { cidr, ip } from '../../network/model/address.ts'
import { applyDirect } from './direct.ts'

const NETNS = `wefttest-direct-${process.pid}`
const NODES = 200
let rtnl: RtnlSocket
let asked = 0

function command(...argv: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...argv])
  if (exitCode !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`)
}

beforeEach(() => {
  command('ip', 'netns', 'add', NETNS)
  command('ip', '-n', NETNS, 'link', 'add', DIRECT, 'up', 'type', 'veth', 'peer', 'name', 'switch')
  command('ip', '-n', NETNS, 'link', 'add', 'eth0', 'up', 'type', 'veth', 'peer', 'name', 'wire')
  for (const name of ['switch', 'wire']) command('ip', '-n', NETNS, 'link', 'set', name, 'up')
  command('ip', '-n', NETNS, 'address', 'add', '192.0.2.1/24', 'dev', 'eth0')
  command('ip', '-n', NETNS, 'address', 'add', '2001:db8::1/64', 'dev', 'eth0', 'nodad')
  const nsFd = openSync(`/run/netns/${NETNS}`, 'r')
  const socket = openRtnl({ nsFd })
  closeSync(nsFd)
  const counted: RtnlSocket['request'] = (request) => {
    asked += 1
    return socket.request(request)
  }
  rtnl = { ...socket, request: counted }
})

afterEach(() => {
  rtnl.close()
  command('ip', 'netns', 'del', NETNS)
})

const INSIDE = [cidr('10.0.0.0/8'), cidr('fd00::/8')]

function planOf(nodes: number, firstHop = 10): DirectPlan {
  const routes = Array.from({ length: nodes }, (_, n) => [
    { to: cidr(`10.1.${n}.0/24`), via: ip(`192.0.2.${n === 0 ? firstHop : 10 + n}`), link: 'eth0' },
    { to: cidr(`fd00:1:0:${(n + 1).toString(16)}::/64`), via: ip(`2001:db8::${10 + n}`), link: 'eth0' },
  ]).flat()
  const own = [cidr('10.0.0.0/24'), cidr('fd00:0:0:1::/64')].map(localRange)
  return {
    routes,
    own,
    rules: [],
    inside: INSIDE,
    services: [],
    segments: [{ link: 'eth0', ranges: routes.map(({ to }) => to) }],
  }
}

function routes(): readonly string[] {
  return ([4, 6] as const).flatMap((family) =>
    routeList(rtnl, { family, table: LEAVE_TABLE })
      .filter(({ table }) => table === LEAVE_TABLE)
      .map(({ destination, gateway }) => `${destination} ${gateway}`),
  )
}

function wanted({ routes: all }: DirectPlan): readonly string[] {
  return all.map(({ to, via }) => `${to} ${via}`)
}

function requestsOf(plan: DirectPlan): number {
  asked = 0
  applyDirect(rtnl, plan)
  const requests = asked
  expect(routes().toSorted()).toEqual(wanted(plan).toSorted())
  return requests
}

test('a machine that comes, goes or moves costs its own routes, however many stand', () => {
  const all = requestsOf(planOf(NODES))
  const nothing = requestsOf(planOf(NODES))
  expect(all - nothing).toBeGreaterThanOrEqual(2 * NODES)
  expect(nothing).toBeLessThan(20)
  expect(requestsOf(planOf(NODES - 1))).toBe(nothing + 2)
  expect(requestsOf(planOf(NODES))).toBe(nothing + 2)
  expect(requestsOf(planOf(NODES, 250))).toBe(nothing + 1)
})

test('what somebody else removed is made again', () => {
  const plan = planOf(3)
  applyDirect(rtnl, plan)
  routeDel(rtnl, { destination: '10.1.1.0/24', table: LEAVE_TABLE })
  expect(routes()).toHaveLength(5)
  requestsOf(plan)
})

test('no plan leaves nothing', () => {
  applyDirect(rtnl, planOf(3))
  applyDirect(rtnl, undefined)
  expect(routes()).toEqual([])
})

test('a route outside that covers pods and services does not lead to them', () => {
  const ip = (...args: readonly string[]) => Bun.spawnSync(['ip', '-n', NETNS, ...args]).stdout.toString()
  const from = cidr('10.0.0.0/24')
  const rules = [
    { family: 4, priority: 1090, from, table: OUTSIDE_TABLE },
    { family: 4, priority: 1102, from, table: LEAVE_TABLE },
  ] as const
  applyDirect(rtnl, { ...planOf(3), inside: [cidr('10.1.0.0/16'), cidr('172.30.0.0/16')], rules })
  command('ip', '-n', NETNS, 'address', 'add', '10.0.0.9/32', 'dev', 'eth0')
  const learned = ['via', '192.0.2.254', 'table', `${OUTSIDE_TABLE}`, 'proto', 'bird']
  for (const wide of ['10.0.0.0/8', '172.16.0.0/12']) command('ip', '-n', NETNS, 'route', 'add', wide, ...learned)
  expect(ip('route', 'get', '10.9.9.9', 'from', '10.0.0.9')).toContain('via 192.0.2.254')
  expect(ip('route', 'get', '10.1.1.5', 'from', '10.0.0.9')).toContain('via 192.0.2.11')
  expect(ip('route', 'get', '172.30.0.1', 'from', '10.0.0.9')).not.toContain('192.0.2.254')
  applyDirect(rtnl, undefined)
  expect(ip('route', 'show', 'table', `${OUTSIDE_TABLE}`, 'proto', '77')).toBe('')
})
