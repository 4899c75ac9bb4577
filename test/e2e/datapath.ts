/**
 * Fragments, sizes and bulk between nodes; what people break by hand is repaired.
 * @module
 */

import { equal, match, notEqual, ok } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { withNetns } from '../../src/linux/index.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

const BULK = 32 << 20
const PORT = 9100
/** IPv4 and ICMP headers; IPv6 and ICMPv6 headers. */
const HEADERS = { 4: 28, 6: 48 } as const

export const datapath: Scenario = {
  name: 'datapath',
  lab: {},
  steps: [
    { title: 'fragmented packets cross between nodes, in both families', run: fragments },
    { title: 'the largest packet passes whole, and one byte more is told its size', run: tooBig },
    { title: `${BULK >> 20} MiB of TCP cross between nodes intact`, run: bulk },
    { title: 'what was broken by hand is repaired', run: repairs },
  ],
}

async function fragments({ lab, say }: StepContext): Promise<void> {
  for (const family of [4, 6] as const) {
    const { code, stdout } = await ping(lab, family, 6000, [])
    say(`ping with 6000 bytes of data, IPv${family}: ${summary(stdout)}`)
    equal(code, 0, stdout)
  }
  for (const family of [4, 6] as const) await datagram(lab, family, say)
}

/** One UDP datagram in several fragments. */
async function datagram(lab: Lab, family: 4 | 6, say: StepContext['say']): Promise<void> {
  const text = 'x'.repeat(4000)
  const receive = `use Socket; socket(S, ${family === 4 ? 'AF_INET' : 'AF_INET6'}, SOCK_DGRAM, 0); ${bindTo(family)}; $| = 1; print "ready\n"; recv(S, $b, 9000, 0); print length $b`
  const server = Bun.spawn(['ip', 'netns', 'exec', lab.netns('shop/db'), 'perl', '-e', receive], {
    stdout: 'pipe',
    timeout: 10_000,
  })
  let answer = ''
  for await (const chunk of server.stdout) {
    answer += new TextDecoder().decode(chunk)
    if (answer !== 'ready\n') continue
    await lab.inside(
      lab.netns('shop/web'),
      'bash',
      '-c',
      `printf %s ${text} > /dev/udp/${lab.address('shop/db', family)}/${PORT}`,
    )
  }
  equal(answer, `ready\n${text.length}`)
  say(`a UDP datagram of ${text.length} bytes arrives whole, IPv${family}`)
}

function bindTo(family: 4 | 6): string {
  return family === 4
    ? `bind(S, sockaddr_in(${PORT}, INADDR_ANY))`
    : `bind(S, pack_sockaddr_in6(${PORT}, Socket::IN6ADDR_ANY))`
}

async function tooBig({ lab, say }: StepContext): Promise<void> {
  const mtu = await mtuOf(lab, 'shop/web')
  for (const family of [4, 6] as const) {
    const { code, stdout } = await ping(lab, family, mtu - HEADERS[family], ['-M', 'do'])
    say(`${mtu} bytes without fragmentation, IPv${family}: ${summary(stdout)}`)
    equal(code, 0, stdout)
  }
  const before = (await lab.drops(1)).get('too-big') ?? 0n
  await raiseMtu(lab, 2000)
  try {
    for (const family of [4, 6] as const) {
      const { code, stdout, stderr } = await ping(lab, family, mtu + 100 - HEADERS[family], ['-M', 'do'])
      notEqual(code, 0)
      const told = (stdout + stderr).split('\n').find((line) => /mtu/i.test(line)) ?? ''
      say(`${mtu + 100} bytes, IPv${family}: ${told.trim()}`)
      match(told, new RegExp(`mtu\\s*=\\s*${mtu}`))
    }
    const counted = ((await lab.drops(1)).get('too-big') ?? 0n) - before
    say(`${counted} counted as too-big`)
    ok(counted >= 2n)
  } finally {
    await raiseMtu(lab, mtu)
    for (const family of ['-4', '-6']) await lab.inside(lab.netns('shop/web'), 'ip', family, 'route', 'flush', 'cache')
  }
}

/** Both ends of the pod's link: the kernel lets nothing larger through than the receiving end's MTU. */
async function raiseMtu(lab: Lab, mtu: number): Promise<void> {
  const { leases } = await lab.agent(1).facts()
  const link = leases.find(({ endpoint }) => endpoint.pod === 'web')?.link ?? ''
  await lab.inside(lab.node(1).netns, 'ip', 'link', 'set', link, 'mtu', String(mtu))
  await lab.inside(lab.netns('shop/web'), 'ip', 'link', 'set', 'eth0', 'mtu', String(mtu))
}

async function bulk({ lab, say }: StepContext): Promise<void> {
  const data = new Uint8Array(BULK)
  for (let i = 0; i < BULK; i += 1) data[i] = (i * 2654435761) >>> 24
  const wanted = createHash('sha256').update(data).digest('hex')
  for (const family of [4, 6] as const) {
    const started = performance.now()
    const got = await transfer(lab, family, data)
    const seconds = (performance.now() - started) / 1000
    say(
      `${BULK >> 20} MiB over IPv${family} in ${seconds.toFixed(1)} s, SHA-256 ${got === wanted ? 'equal' : 'different'}`,
    )
    equal(got, wanted)
  }
}

/** Sends bytes from one node's pod to another's and returns the SHA-256 of what arrived. */
async function transfer(lab: Lab, family: 4 | 6, data: Uint8Array): Promise<string> {
  const hash = createHash('sha256')
  const server = withNetns(lab.fd(lab.netns('shop/db')), () =>
    Bun.listen({
      hostname: '::',
      port: PORT + family,
      socket: {
        open: (socket) => {
          push(socket, 0)
        },
        drain: (socket) => push(socket, sent),
        data: () => undefined,
      },
    }),
  )
  let sent = 0
  const push = (socket: { write(bytes: Uint8Array): number; end(): void }, from: number): void => {
    sent = from
    while (sent < data.length) {
      const n = socket.write(data.subarray(sent, sent + (1 << 18)))
      if (n <= 0) return
      sent += n
    }
    socket.end()
  }
  const child = Bun.spawn(
    [
      'ip',
      'netns',
      'exec',
      lab.netns('shop/web'),
      'bash',
      '-c',
      `cat < /dev/tcp/${lab.address('shop/db', family)}/${PORT + family}`,
    ],
    { stdout: 'pipe', stderr: 'ignore' },
  )
  try {
    for await (const chunk of child.stdout) hash.update(chunk)
    return hash.digest('hex')
  } finally {
    child.kill()
    server.stop(true)
  }
}

const AGENT = 'node1-agent'
const BREAKAGES: readonly (readonly [what: string, argv: readonly string[]])[] = [
  ['the bridge is deleted', ['ovs-vsctl', 'del-br', 'br-weft']],
  ['the port of a pod is deleted', ['ovs-vsctl', 'del-port', 'br-weft', 'a pod']],
  ['the tunnel port is deleted', ['ovs-vsctl', 'del-port', 'br-weft', 'weft-tunnel']],
  ['every flow is deleted', ['ovs-ofctl', '-O', 'OpenFlow15', 'del-flows', 'br-weft']],
  [
    'a flow is added',
    [
      'ovs-ofctl',
      '-O',
      'OpenFlow15',
      'add-flow',
      'br-weft',
      'cookie=0x5701000000000001,table=80,priority=999,actions=goto_table:110',
    ],
  ],
  ['the gateway loses its addresses', ['ip', 'addr', 'flush', 'dev', 'weft0']],
  ['the gateway is set down', ['ip', 'link', 'set', 'weft0', 'down']],
]

async function repairs({ lab, say }: StepContext): Promise<void> {
  // What no notification tells of is found when the switch is compared with the plan: here not every minute.
  const command = lab.commandOf(AGENT)
  lab.kill(AGENT)
  lab.start(AGENT, [...command, '--resync', '5'])
  await eventually('the agent is ready', () => clean(lab))
  for (const [what, argv] of BREAKAGES) {
    const [first] = (await lab.agent(1).facts()).leases
    await lab.ovs(lab.node(1), ...argv.map((each) => (each === 'a pod' ? (first?.link ?? '') : each)))
    const broken = performance.now()
    await eventually(`${what}: weft audit is clean`, () => clean(lab), 30_000).catch(async (error) => {
      say((await lab.weft('audit', '--run-dir', lab.layout.runDir)).stdout)
      throw error
    })
    say(`${what}: repaired within ${((performance.now() - broken) / 1000).toFixed(1)} s`)
  }
  const { code, stdout } = await lab.play('table')
  equal(code, 0, stdout)
}

async function clean(lab: Lab): Promise<boolean> {
  const { code } = await lab.weft('audit', '--run-dir', lab.layout.runDir)
  const pods = await Promise.all(([4, 6] as const).map((family) => ping(lab, family, 56, [], lab.node(1).netns)))
  return code === 0 && pods.every((each) => each.code === 0)
}

function ping(lab: Lab, family: 4 | 6, size: number, options: readonly string[], from = lab.netns('shop/web')) {
  const target = lab.address('shop/db', family)
  return lab.inside(
    from,
    'ping',
    `-${family}`,
    '-c',
    '3',
    '-i',
    '0.2',
    '-W',
    '2',
    '-s',
    String(size),
    ...options,
    target,
  )
}

function summary(text: string): string {
  return text.split('\n').find((line) => line.includes('transmitted')) ?? text
}

async function mtuOf(lab: Lab, pod: string): Promise<number> {
  const { stdout } = await lab.inside(lab.netns(pod), 'cat', '/sys/class/net/eth0/mtu')
  return Number(stdout)
}

if (import.meta.main) await runScenario(datapath)
