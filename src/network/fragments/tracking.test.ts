import { describe, expect, test } from 'bun:test'
import {
  type Fields,
  from,
  icmp4,
  node,
  REMOTE,
  tcp4,
  tcp6,
  tunnelled,
  UNDERLAY,
  udp4,
  v4,
  v6,
} from '../../../test/tables/packets.ts'
import { SAMPLE_CLUSTER, SAMPLE_PODS, samplePlanner } from '../../../test/tables/sample-node.ts'
import type { Bucket, Group } from '../../flow/flow.ts'
import type { Cluster } from '../model/cluster.ts'
import { parseCookie } from '../pipeline/cookie.ts'
import { dropByCode } from '../pipeline/drops.ts'
import { GATEWAY_PORT, TUNNEL_PORT, ZONES } from '../pipeline/stages.ts'
import { Connections, compileSwitch, type Output, packetOf, simulate } from '../simulate/simulate.ts'
import { TURN_ADDRESS } from '../virtual-addresses.ts'

const { web, api } = SAMPLE_PODS
const VIP = '172.30.0.10'

/** A node that remembers. `bucket` is the endpoint that services choose. */
class Node {
  readonly #connections = new Connections()
  readonly #switch
  readonly #zone: number
  readonly #bucket: number

  constructor(services: Cluster['services'] = 'weft', bucket = 0) {
    const planner = samplePlanner({ ...SAMPLE_CLUSTER, services })
    this.#switch = compileSwitch(planner.flows(), planner.groups())
    this.#zone = services === 'weft' ? ZONES.service : ZONES.proxy
    this.#bucket = bucket
  }

  /** Where a packet goes, how often flows sent it through connection tracking, and how often to be remembered. */
  send(packet: Fields, quoted?: Fields) {
    const pick = ({ buckets }: Group): Bucket | undefined => buckets[this.#bucket]
    const { steps, outputs } = simulate(this.#switch, packetOf(packet), {
      connections: this.#connections,
      pick,
      ...(quoted === undefined ? {} : { quoted: packetOf(quoted) }),
    })
    const actions = steps.flatMap(({ flow }) => (flow?.actions ?? []).filter(({ op }) => op === 'ct'))
    const drop = dropByCode(parseCookie(steps.at(-1)?.flow?.cookie ?? 0n)?.dropCode ?? 0)
    return {
      to: drop ?? outputs[0]?.port,
      output: outputs[0],
      tracked: actions.length,
      remembered: actions.filter((action) => action.op === 'ct' && action.commit === true).length,
    }
  }

  /** What the switch remembers of a packet's connection. */
  about(packet: Fields) {
    return this.#connections.find(BigInt(this.#zone), packetOf(packet)).connection
  }
}

const v4Ends = { to: tcp4(v4(web), v4(api)), back: { ...tcp4(v4(api), v4(web)), tcp_src: 8080, tcp_dst: 40000 } }
const v6Ends = { to: tcp6(v6(web), v6(api)), back: { ...tcp6(v6(api), v6(web)), tcp_src: 8080, tcp_dst: 40000 } }

describe.each(['weft', 'kube-proxy'] as const)('services by %s', (services) => {
  test.each([
    ['IPv4', v4Ends],
    ['IPv6', v6Ends],
  ])('a connection is remembered once, and its answers are allowed: %s', (_, ends) => {
    const here = new Node(services)
    expect(here.send({ ...from(web), ...ends.to })).toMatchObject({ to: api.ofport, tracked: 2, remembered: 1 })
    expect(here.about(ends.to)).toMatchObject({ label: 1n, mark: 0n })
    expect(here.send({ ...from(api), ...ends.back })).toMatchObject({ to: web.ofport, tracked: 1, remembered: 0 })
    expect(here.send({ ...from(web), ...ends.to })).toMatchObject({ to: api.ofport, tracked: 1, remembered: 0 })
  })

  test('into the tunnel and back', () => {
    const here = new Node(services)
    const there = { ...from(web), ...tcp4(v4(web), REMOTE.v4) }
    const sent = here.send(there)
    expect(sent).toMatchObject({ to: TUNNEL_PORT, tracked: 2, remembered: 1 })
    expect([field(sent.output, 'tun_id'), field(sent.output, 'tun_dst')]).toEqual([42n, 0xc000020cn])
    const back = { ...tunnelled(UNDERLAY.node2, 42), ...tcp4(REMOTE.v4, v4(web)), tcp_src: 8080, tcp_dst: 40000 }
    expect(here.send(back)).toMatchObject({ to: web.ofport, tracked: 1 })
    expect(here.send(there)).toMatchObject({ to: TUNNEL_PORT, tracked: 1 })
  })

  test('what lost its permission gets no answers until its next packet passes, and an error does not give it back', () => {
    const here = new Node(services)
    const [there, back] = [
      { ...from(web), ...v4Ends.to },
      { ...from(api), ...v4Ends.back },
    ]
    here.send(there)
    const connection = here.about(there)
    if (connection === undefined) throw new Error('it is not remembered')
    connection.label = 0n
    expect(here.send(back).to).toBe('unasked-answer')
    const errors = [
      here.send({ ...from(api), ...icmp4(3, v4(api), v4(web)) }, v4Ends.to),
      here.send({ ...from(web), ...icmp4(3, v4(web), v4(api)) }, v4Ends.back),
    ]
    expect(errors).toMatchObject([
      { to: 'unasked-answer', remembered: 0 },
      { to: api.ofport, remembered: 0 },
    ])
    expect(here.send(back).to).toBe('unasked-answer')
    expect(here.send(there)).toMatchObject({ to: api.ofport, remembered: 1 })
    expect(here.send(back).to).toBe(web.ofport)
  })

  test('nobody remembers an error, nor what cannot be tracked', () => {
    const here = new Node(services)
    const error = { ...from(api), ...icmp4(3, v4(api), v4(web)) }
    expect(here.send(error, v4Ends.to)).toMatchObject({ to: web.ofport, remembered: 0 })
    const sctp = { eth_type: 0x0800, ip_proto: 132, ipv4_src: v4(web), ipv4_dst: v4(api), sctp_src: 9, sctp_dst: 9 }
    expect(here.send({ ...from(web), ...sctp })).toMatchObject({ to: api.ofport, tracked: 1, remembered: 0 })
  })

  test('what was denied is not remembered', () => {
    const here = new Node(services)
    const denied = tcp4(v4(web), v4(SAMPLE_PODS.vault))
    expect(here.send({ ...from(web), ...denied })).toMatchObject({ to: 'tenant-isolation', remembered: 0 })
    expect(here.about(denied)).toBeUndefined()
  })
})

test('a service’s connection is not allowed before it has passed, and then with its answers', () => {
  const here = new Node('weft', 1)
  const there = { ...from(web), ...tcp4(v4(web), VIP), tcp_dst: 80 }
  const back = { ...from(api), ...tcp4(v4(api), v4(web)), tcp_src: 8080, tcp_dst: 40000 }
  expect(here.send(there)).toMatchObject({ to: api.ofport, tracked: 2, remembered: 1 })
  expect(here.about(there)).toMatchObject({ label: 1n, mark: 42n })
  const answer = here.send(back)
  expect(answer).toMatchObject({ to: web.ofport, tracked: 1 })
  expect(field(answer.output, 'ipv4_src')).toBe(packetOf({ ipv4_src: VIP }).get('ipv4_src'))
  expect(here.send(there)).toMatchObject({ to: api.ofport, tracked: 1 })
  const foreign = { ...from(SAMPLE_PODS.vault), ...tcp4(v4(SAMPLE_PODS.vault), VIP), tcp_dst: 80 }
  expect(here.send(foreign).to).toBe('tenant-isolation')
  expect(here.about(foreign)?.label).toBe(0n)
})

test('a service’s connection that nobody answered yet keeps its endpoint', () => {
  const here = new Node('weft', 1)
  const there = { ...from(web), ...udp4(v4(web), VIP, 40000, 514) }
  const first = here.send(there)
  const second = here.send(there)
  expect(first.to).toBe(api.ofport)
  expect(second.to).toBe(api.ofport)
  expect(second.output).toEqual(first.output)
})

test('a pod that a service leads to itself hears from the service', () => {
  const here = new Node()
  const there = { ...from(web), ...tcp4(v4(web), VIP), tcp_dst: 80 }
  const sent = here.send(there)
  expect(sent.to).toBe(web.ofport)
  const turned = packetOf({ ipv4_src: TURN_ADDRESS[4], ipv4_dst: v4(web), tcp_dst: 8080 })
  for (const name of ['ipv4_src', 'ipv4_dst', 'tcp_dst'] as const)
    expect(field(sent.output, name)).toBe(turned.get(name))
  const back = here.send({ ...from(web), ...tcp4(v4(web), TURN_ADDRESS[4]), tcp_src: 8080, tcp_dst: 40000 })
  expect(back.to).toBe(web.ofport)
  const ends = packetOf({ ipv4_src: VIP, ipv4_dst: v4(web), tcp_src: 80, tcp_dst: 40000 })
  for (const [name, value] of ends) expect(field(back.output, name)).toBe(value)
})

test('what kube-proxy translated is marked, and its answers are handed back', () => {
  const here = new Node('kube-proxy')
  const asked = { ...from(web), ...udp4(v4(web), VIP, 40000, 514) }
  expect(here.send(asked)).toMatchObject({ to: GATEWAY_PORT, remembered: 1 })
  const led = { ...node, ...udp4(v4(web), v4(api), 40000, 5514) }
  expect(here.send(led)).toMatchObject({ to: api.ofport, remembered: 1 })
  expect(here.send(led)).toMatchObject({ to: api.ofport, remembered: 0 })
  expect(here.about(led)).toMatchObject({ label: 1n, mark: 1n })
  const back = udp4(v4(api), v4(web), 5514, 40000)
  expect(here.send({ ...from(api), ...back }).to).toBe(GATEWAY_PORT)
  expect(here.send({ ...node, ...udp4(VIP, v4(web), 514, 40000) })).toMatchObject({ to: web.ofport, remembered: 0 })
})

test('with kube-proxy, an answer that comes back from the node’s stack marks nothing', () => {
  const here = new Node('kube-proxy')
  here.send({ ...from(web), ...v4Ends.to })
  expect(here.send({ ...node, ...v4Ends.back })).toMatchObject({ to: web.ofport, remembered: 0 })
  expect(here.about(v4Ends.to)?.mark).toBe(0n)
})

function field(output: Output | undefined, name: keyof Fields): bigint | undefined {
  return output?.packet.get(name)
}
