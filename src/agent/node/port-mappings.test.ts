/**
 * What pods publish by rules of others (`hostPort`, Docker's `-p`) beside our own table, on a real kernel.
 */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { SAMPLE_CLUSTER, sampleNode } from '../../../test/tables/sample-node.ts'
import {
  AF_INET,
  AF_INET6,
  addrAdd,
  applyRuleset,
  closeFd,
  MSG_DONTWAIT,
  netnsOpen,
  openSocket,
  ready,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  systemCalls,
} from '../../linux/index.ts'
import { openRtnl } from '../../linux/netlink/rtnl-socket.ts'
import { ipSockaddr } from '../../linux/sockaddr.ts'
import { type Scratch, scratch, veth } from '../../linux/testing/scratch.ts'
import { nodeContext } from '../../network/context.ts'
import { hostPlan } from '../../network/host.ts'

const NETNS = `wefttest-agent-mappings-${process.pid}`
const TUNNEL = 4789
const NODE_PORT = 30053
const MINE = 8081
/** Where the rules of others lead what they take. */
const TAKEN = 9999
const context = nodeContext(SAMPLE_CLUSTER, sampleNode(1), 1450)
if (context === undefined) throw new Error('the sample node has ranges')
const { nftables } = hostPlan(context, {
  ports: [{ protocol: 'UDP', port: NODE_PORT, anyNode: true }],
  peers: [],
})
const FAMILIES = [
  { family: 4, domain: AF_INET, own: '192.0.2.11', other: '192.0.2.99/24', any: '0.0.0.0', tool: 'iptables' },
  { family: 6, domain: AF_INET6, own: '2001:db8::11', other: '2001:db8::99/64', any: '::', tool: 'ip6tables' },
] as const

beforeEach(() => void spawnSync('ip', ['netns', 'add', NETNS]))
afterEach(() => void spawnSync('ip', ['netns', 'del', NETNS]))

describe.each(['nft', 'legacy'])('iptables-%s', (backend) => {
  const noTool = Bun.which(`iptables-${backend}`) === null

  test.skipIf(noTool).each(FAMILIES)('IPv$family: a mapping takes its port, not the tunnel’s', async (ends) => {
    const nodeFd = netnsOpen(NETNS)
    using rtnl = openRtnl({ nsFd: nodeFd })
    using outside = scratch()
    const node: Scratch = { nsFd: nodeFd, rtnl, [Symbol.dispose]: () => undefined }
    try {
      const { a, b } = veth(node, outside, 'eth0', 'b0')
      addrAdd(rtnl, { link: a, address: `${ends.own}/${ends.family === 4 ? 24 : 64}`, nodad: true })
      addrAdd(outside.rtnl, { link: b, address: ends.other, nodad: true })
      for (const port of [TUNNEL, NODE_PORT, MINE]) map(`${ends.tool}-${backend}`, port)
      const takes = (port: number) => taken(node, outside, ends, port)
      expect([await takes(TUNNEL), await takes(NODE_PORT), await takes(MINE)]).toEqual([true, true, true])
      await applyRuleset(nftables, { netns: NETNS })
      expect([await takes(TUNNEL), await takes(NODE_PORT), await takes(MINE)]).toEqual([false, false, true])
    } finally {
      closeFd(nodeFd)
    }
  })
})

function map(tool: string, port: number): void {
  const rule = ['-A', 'PREROUTING', '-p', 'udp', '--dport', `${port}`, '-j', 'REDIRECT', '--to-ports', `${TAKEN}`]
  const { stderr, status } = spawnSync('ip', ['netns', 'exec', NETNS, tool, '-t', 'nat', ...rule])
  if (status !== 0) throw new Error(`${tool}: ${stderr}`)
}

/** Whether a datagram from outside to the node's port ends up where the others' rules lead it. */
async function taken(
  { nsFd }: Scratch,
  outside: Scratch,
  { domain, own, any }: (typeof FAMILIES)[number],
  port: number,
): Promise<boolean> {
  const calls = systemCalls()
  const open = (ns: number) => openSocket(domain, SOCK_DGRAM | SOCK_NONBLOCK, 0, ns)
  const [there, meant, client] = [open(nsFd), open(nsFd), open(outside.nsFd)]
  try {
    for (const [fd, at] of [[there, TAKEN] as const, [meant, port] as const]) {
      if (calls.bind(fd, ipSockaddr(any, at)) < 0) throw new Error(`port ${at} cannot be had`)
    }
    if (calls.sendto(client, new Uint8Array([1]), MSG_DONTWAIT, ipSockaddr(own, port)) < 0) throw new Error('not sent')
    // A node port goes on to the switch, which there is none of here: nobody gets it.
    const arrives = (fd: number) => ready(fd, 'read', port === NODE_PORT ? 300 : 3000).then(() => fd)
    return (await Promise.any([arrives(there), arrives(meant)]).catch(() => undefined)) === there
  } finally {
    for (const fd of [there, meant, client]) closeFd(fd)
  }
}
