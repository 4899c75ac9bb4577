import { afterEach, beforeEach, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { SAMPLE_CLUSTER, sampleNode } from '../../../test/tables/sample-node.ts'
import { addrAdd, closeFd, netnsOpen, ping, routeAdd, sysctlSet, withNetns } from '../../linux/index.ts'
import { legacyFilter } from '../../linux/iptables-legacy.ts'
import { openRtnl } from '../../linux/netlink/rtnl-socket.ts'
import { type Scratch, scratch, veth } from '../../linux/testing/scratch.ts'
import { nodeContext } from '../../network/context.ts'
import { hostPlan } from '../../network/host.ts'
import { admitPods, filterChains, withdrawAcceptance } from './foreign-filters.ts'

const NETNS = `wefttest-agent-filters-${process.pid}`
const context = nodeContext(SAMPLE_CLUSTER, sampleNode(1), 1450)
if (context === undefined) throw new Error('the sample node has ranges')
const plan = hostPlan(context, { ports: [], peers: [] })
const HERE = { netns: NETNS }

beforeEach(() => void spawnSync('ip', ['netns', 'add', NETNS]))
afterEach(() => void spawnSync('ip', ['netns', 'del', NETNS]))

function inside(...command: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync('ip', ['netns', 'exec', NETNS, ...command])
  if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`)
  return String(stdout)
}

/** What Docker makes of a fresh table. */
function docker(): void {
  inside('iptables', '-P', 'FORWARD', 'DROP')
  inside('iptables', '-N', 'DOCKER-USER')
  inside('iptables', '-A', 'DOCKER-USER', '-j', 'RETURN')
  inside('iptables', '-I', 'FORWARD', '-j', 'DOCKER-USER')
  inside('iptables', '-A', 'FORWARD', '-i', 'docker0', '-m', 'comment', '--comment', 'theirs', '-j', 'ACCEPT')
}

const OURS = '-m comment --comment "weft: pods" -j WEFT-FORWARD'
const noTool = Bun.which('iptables') === null
const noLegacy = Bun.which('iptables-legacy') === null

test('where nobody filters nothing is made', async () => {
  expect(await admitPods(plan, HERE)).toEqual([])
  expect(inside('nft', 'list', 'ruleset')).toBe('')
})

test.skipIf(noTool)('one rule at the head of each chain that is there, once', async () => {
  docker()
  const before = inside('iptables', '-S')
  expect(await admitPods(plan, HERE)).toEqual([])
  const after = inside('iptables', '-S')
  expect(after.split('\n').filter((line) => line.includes('WEFT'))).toEqual([
    '-N WEFT-FORWARD',
    `-A FORWARD ${OURS}`,
    `-A DOCKER-USER ${OURS}`,
    '-A WEFT-FORWARD -i weft0 -j ACCEPT',
    '-A WEFT-FORWARD -o weft0 -j ACCEPT',
  ])
  expect(after.indexOf(`-A FORWARD ${OURS}`)).toBe(after.indexOf('-A FORWARD'))
  const handles = inside('nft', '-a', 'list', 'ruleset')
  await admitPods(plan, HERE)
  expect(inside('nft', '-a', 'list', 'ruleset')).toBe(handles)
  await withdrawAcceptance(HERE)
  expect(inside('iptables', '-S')).toBe(before)
})

test.skipIf(noTool)('what others do to it is healed', async () => {
  docker()
  await admitPods(plan, HERE)
  const right = inside('iptables', '-S')
  const damages: readonly (() => void)[] = [
    // Docker starts anew, and puts its own at the head.
    () => {
      inside('iptables', '-D', 'FORWARD', '-j', 'DOCKER-USER')
      inside('iptables', '-I', 'FORWARD', '-j', 'DOCKER-USER')
    },
    () => inside('iptables', '-A', 'FORWARD', '-j', 'WEFT-FORWARD'),
    () => inside('iptables', '-F', 'WEFT-FORWARD'),
    () => inside('iptables', '-I', 'WEFT-FORWARD', '-j', 'RETURN'),
    () => inside('iptables', '-F', 'DOCKER-USER'),
    () => inside('sh', '-c', 'iptables-save | iptables-restore'),
  ]
  for (const damage of damages) {
    damage()
    expect(await admitPods(plan, HERE)).toEqual([])
    expect(await admitPods(plan, HERE)).toEqual([])
    expect(inside('iptables', '-S', 'WEFT-FORWARD').split('\n')).toHaveLength(4)
    for (const chain of ['FORWARD', 'DOCKER-USER']) {
      const rules = inside('iptables', '-S', chain).split('\n').slice(1)
      expect(rules.findIndex((rule) => rule.includes('WEFT-FORWARD'))).toBe(0)
      expect(rules.filter((rule) => rule.includes('WEFT-FORWARD'))).toHaveLength(1)
    }
  }
  inside('iptables', '-F')
  inside('iptables', '-X')
  docker()
  await admitPods(plan, HERE)
  expect(inside('iptables', '-S')).toBe(right)
})

test.skipIf(noTool)('a drop of others that wins is told', async () => {
  docker()
  inside('nft', 'add table inet mine; add chain inet mine f { type filter hook forward priority 10; policy drop; }')
  const told = await admitPods(plan, HERE)
  expect(told[0]).toContain('inet mine f (hook forward) drops what pods of 10.128.0.0/14 send to the outside')
  expect(told.filter((one) => one.startsWith('ip filter'))).toEqual([])
})

test('kube-proxy’s rules grow with the cluster: they are not read', async () => {
  inside(
    'nft',
    'add table ip kube-proxy; add chain ip kube-proxy f { type filter hook forward priority 0; policy accept; }',
  )
  inside('nft', 'add rule ip kube-proxy f drop')
  inside('nft', 'add table ip site; add chain ip site f { type filter hook forward priority 0; policy accept; }')
  inside('nft', 'add rule ip site f counter')
  const chains = await filterChains(HERE)
  expect(chains.map(({ table, rules }) => [table, rules.length])).toEqual([
    ['kube-proxy', 0],
    ['site', 1],
  ])
})

test.skipIf(noLegacy)('the old iptables is read as well', () => {
  for (const tool of ['iptables-legacy', 'ip6tables-legacy']) {
    inside(tool, '-P', 'FORWARD', 'DROP')
    inside(tool, '-N', 'MINE')
    inside(tool, '-A', 'FORWARD', '-i', 'weft+', '!', '-o', 'eth1', '-p', 'udp', '-j', 'MINE')
    inside(tool, '-A', 'FORWARD', '-i', 'eth0', '-m', 'mark', '--mark', '1', '-j', 'ACCEPT')
    inside(tool, '-A', 'MINE', '-s', tool.startsWith('ip6') ? 'fd00::/8' : '10.0.0.0/8', '-j', 'DROP')
  }
  const ns = netnsOpen(NETNS)
  try {
    for (const family of [4, 6] as const) {
      const chains = withNetns(ns, () => legacyFilter(family))
      expect(chains.map(({ name, base }) => [name, base?.policy])).toEqual([
        ['INPUT', 'accept'],
        ['FORWARD', 'drop'],
        ['MINE', undefined],
      ])
      expect(chains[1]?.rules.map(({ conditions, verdict }) => [conditions, verdict])).toEqual([
        [
          [
            { subject: 'inLink', values: ['weft*'], negated: false },
            { subject: 'outLink', values: ['eth1'], negated: true },
            { subject: 'protocol', values: ['udp'], negated: false },
          ],
          { kind: 'jump', chain: 'MINE' },
        ],
        [[{ subject: 'inLink', values: ['eth0'], negated: false }, { subject: 'unknown' }], { kind: 'accept' }],
      ])
      const source = family === 4 ? '10.0.0.0/8' : 'fd00::/8'
      expect(chains[2]?.rules).toEqual([
        {
          handle: 1,
          comment: undefined,
          conditions: [{ subject: 'source', values: [source], negated: false }],
          verdict: { kind: 'drop' },
        },
      ])
    }
  } finally {
    closeFd(ns)
  }
})

test.skipIf(noTool)('a packet of a pod is forwarded on a host whose FORWARD drops', async () => {
  using pod = scratch()
  using outside = scratch()
  const nodeFd = netnsOpen(NETNS)
  using rtnl = openRtnl({ nsFd: nodeFd })
  const node: Scratch = { nsFd: nodeFd, rtnl, [Symbol.dispose]: () => closeFd(nodeFd) }
  try {
    connect(node, pod, 'weft0', '10.128.0.1/24', '10.128.0.2/24')
    connect(node, outside, 'eth0', '192.0.2.1/24', '192.0.2.2/24')
    sysctlSet(['net', 'ipv4', 'ip_forward'], '1', nodeFd)
    const reaches = async (timeoutMs: number) =>
      (await ping({ address: '192.0.2.2', nsFd: pod.nsFd, timeoutMs })).reached
    expect(await reaches(2_000)).toBe(true)
    docker()
    inside('nft', 'add table inet weft; add chain inet weft f { type filter hook forward priority -5; policy accept; }')
    inside('nft', 'add rule inet weft f iifname weft0 accept; add rule inet weft f oifname weft0 accept')
    expect(await reaches(200)).toBe(false)
    await admitPods(plan, HERE)
    expect(await reaches(2_000)).toBe(true)
  } finally {
    closeFd(nodeFd)
  }
})

/** A link of the node to a neighbour, whose default route it is. */
function connect(node: Scratch, other: Scratch, name: string, own: string, theirs: string): void {
  const { a, b } = veth(node, other, name, 'eth0')
  addrAdd(node.rtnl, { link: a, address: own })
  addrAdd(other.rtnl, { link: b, address: theirs })
  routeAdd(other.rtnl, { destination: '0.0.0.0/0', gateway: own.split('/')[0] ?? '', link: b })
}
