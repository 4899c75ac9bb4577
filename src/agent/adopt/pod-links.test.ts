import { afterAll, beforeAll, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { linkAdd, linkGet, netnsNumber, netnsOpen } from '../../linux/index.ts'
import { closeFd } from '../../linux/socket.ts'
import { scratch, veth } from '../../linux/testing/scratch.ts'
import { findPods } from './pod-links.ts'

const POD = `wefttest-agent-adopt-${process.pid}`

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('ip', args)
  if (status !== 0) throw new Error(String(stderr))
}

beforeAll(() => ip('netns', 'add', POD))
afterAll(() => ip('netns', 'del', POD))

test('a link tells by a number in which namespace its peer is', () => {
  using node = scratch()
  using pod = scratch()
  using stranger = scratch()
  const { a } = veth(node, pod)
  expect(netnsNumber(node.rtnl, pod.nsFd)).toBe(linkGet(node.rtnl, a).parentNsId)
  expect(netnsNumber(node.rtnl, stranger.nsFd)).toBeUndefined()
})

test('pods are found by the other ends of this node’s links, and nobody else’s', () => {
  using node = scratch()
  using otherNode = scratch()
  const nsFd = netnsOpen(POD)
  try {
    const peer = { name: 'eth0', nsFd, mac: '0e:00:00:00:00:07', mtu: 1400 }
    linkAdd(node.rtnl, { kind: 'veth', name: 'vethabc', up: true, mtu: 1400, peer })
    linkAdd(otherNode.rtnl, { kind: 'veth', name: 'vethabc', up: true, peer: { name: 'eth1', nsFd } })
    ip('-n', POD, 'addr', 'add', '172.11.0.7/22', 'dev', 'eth0')
    ip('-n', POD, 'link', 'set', 'eth0', 'up')
    const { index, group } = linkGet(node.rtnl, 'vethabc')
    expect(findPods(node.rtnl)).toEqual([
      {
        host: { index, name: 'vethabc', group },
        inside: { name: 'eth0', mac: '0e:00:00:00:00:07', mtu: 1400, addresses: ['172.11.0.7/22'] },
        netns: `/run/netns/${POD}`,
      },
    ])
  } finally {
    closeFd(nsFd)
  }
})
