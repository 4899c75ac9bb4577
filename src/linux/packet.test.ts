import { describe, expect, test } from 'bun:test'
import { disableOffloads, ethtoolFeatures, ethtoolSet, linkDetected } from './ethtool.ts'
import { parseMac } from './ip.ts'
import { addrAdd } from './netlink/address.ts'
import { linkGet, linkSet } from './netlink/link-ops.ts'
import { neighReplace } from './netlink/neighbour.ts'
import { routeAdd } from './netlink/route.ts'
import { type Frame, openPacketSocket } from './packet.ts'
import { watch } from './poller.ts'
import { ping, tcpProbe } from './rawsocket.ts'
import { AF_INET, AF_INET6, ipSockaddr } from './sockaddr.ts'
import { closeFd, openSocket, SOCK_NONBLOCK, SOCK_STREAM } from './socket.ts'
import { systemCalls } from './sys/addon.ts'
import { type Scratch, scratch, veth } from './testing/scratch.ts'

const timeoutMs = 3000

describe('frames', () => {
  test('go over a veth as they are, and are told apart by direction', async () => {
    using a = scratch()
    using b = scratch()
    const links = veth(a, b)
    const arrived = Promise.withResolvers<Frame>()
    const left = Promise.withResolvers<Frame>()
    // An ethertype for experiments (IEEE 802): nothing else sends it.
    const protocol = 0x88b5
    const receiver = openPacketSocket({ link: links.b, nsFd: b.nsFd, protocol, onFrame: arrived.resolve })
    const observer = openPacketSocket({
      link: links.a,
      nsFd: a.nsFd,
      onFrame: (frame) => frame.bytes[12] === 0x88 && left.resolve(frame),
    })
    const sender = openPacketSocket({ link: links.a, nsFd: a.nsFd })
    const frame = Uint8Array.from([
      ...parseMac('ff:ff:ff:ff:ff:ff'),
      ...parseMac('02:00:00:00:00:66'),
      0x88,
      0xb5,
      ...Array(50).fill(7),
    ])
    // Until the kernel's link watch has run, a fresh veth drops what is sent.
    const again = setInterval(() => sender.send(frame), 10)
    expect(await arrived.promise).toEqual({ bytes: frame, outgoing: false, forOthers: false })
    expect(await left.promise).toEqual({ bytes: frame, outgoing: true, forOthers: false })
    clearInterval(again)
    for (const socket of [receiver, observer, sender]) socket.close()
    expect(() => sender.send(frame)).toThrow('bad file descriptor')
  })

  test('of a link that does not exist are refused', () => {
    using a = scratch()
    expect(() => openPacketSocket({ link: 4711, nsFd: a.nsFd })).toThrow('no such device')
  })
})

describe('probes', () => {
  test.each(['10.0.0.2', 'fd00::2'])(
    '%s answers an echo and a TCP connection in its namespace only',
    async (address) => {
      using a = scratch()
      using b = scratch()
      connected(a, b)
      const server = echoServer(b, address)
      const data = new TextEncoder().encode('hello')
      const target = { address, timeoutMs, nsFd: a.nsFd }
      expect(await ping({ ...target, size: 1000 })).toMatchObject({
        reached: true,
        data: new Uint8Array(1000).fill(0x77),
      })
      expect(await tcpProbe({ ...target, port: server.port })).toMatchObject({ reached: true })
      expect(await tcpProbe({ ...target, port: server.port, data })).toMatchObject({ reached: true, data })
      expect(await tcpProbe({ ...target, port: 1 })).toEqual({ reached: false, reason: 'LINUX_ECONNREFUSED' })
      server.close()
    },
  )

  test('what cannot be reached has a reason', async () => {
    using a = scratch()
    using b = scratch()
    const { a: link } = connected(a, b)
    const silent = '10.0.0.77'
    neighReplace(a.rtnl, { link, address: silent, mac: '02:00:00:00:00:77' })
    routeAdd(a.rtnl, { destination: '10.66.0.0/16', type: 'unreachable' })
    const probe = (address: string) => ping({ address, timeoutMs: 50, nsFd: a.nsFd })
    expect(await probe(silent)).toEqual({ reached: false, reason: 'LINUX_TIMEOUT' })
    expect(await probe('10.66.0.1')).toEqual({ reached: false, reason: 'LINUX_EHOSTUNREACH' })
    expect(await probe('192.0.2.1')).toEqual({ reached: false, reason: 'LINUX_ENETUNREACH' })
    await expect(ping({ address: 'nonsense', timeoutMs: 50 })).rejects.toThrow('not an IPv4 or IPv6 address')
  })
})

describe('offloads', () => {
  test('are all off afterwards, and a link made again has them again', () => {
    using node = scratch()
    veth(node, node)
    const active = () =>
      [...ethtoolFeatures('a0', node.nsFd)].filter(
        ([name, { active }]) => active && /^tx-.*(checksum|segmentation|gso)/.test(name),
      )
    expect(active().map(([name]) => name)).toContain('tx-checksum-ip-generic')
    disableOffloads('a0', node.nsFd)
    expect(active()).toEqual([])
    ethtoolSet('a0', new Map([['tx-checksum-ip-generic', true]]), node.nsFd)
    expect(active().map(([name]) => name)).toEqual(['tx-checksum-ip-generic'])
  })

  test('agree with ethtool’s view of names; unknown names and links are refused', () => {
    using node = scratch()
    veth(node, node)
    expect(() => ethtoolSet('a0', new Map([['tx-magic', true]]), node.nsFd)).toThrow('tx-magic')
    expect(() => disableOffloads('gone', node.nsFd)).toThrow('no such device')
    expect(() => disableOffloads('../x', node.nsFd)).toThrow("cannot be a link's name")
    expect(ethtoolFeatures('lo', node.nsFd).get('loopback')?.active).toBe(true)
  })

  test('the carrier follows the other end', () => {
    using node = scratch()
    veth(node, node)
    expect(linkDetected('a0', node.nsFd)).toBe(true)
    linkSet(node.rtnl, 'b0', { up: false })
    expect(linkDetected('a0', node.nsFd)).toBe(false)
    expect(linkGet(node.rtnl, 'a0')).toMatchObject({ up: true, lowerUp: false })
  })
})

function connected(a: Scratch, b: Scratch): { readonly a: number } {
  const links = veth(a, b)
  for (const [side, link, host] of [
    [a, links.a, 1],
    [b, links.b, 2],
  ] as const) {
    addrAdd(side.rtnl, { link, address: `10.0.0.${host}/24` })
    addrAdd(side.rtnl, { link, address: `fd00::${host}/64`, nodad: true })
  }
  return { a: links.a }
}

/** Gives back the first bytes of every connection, until closed. */
function echoServer(where: Scratch, address: string): { readonly port: number; close(): void } {
  const calls = systemCalls()
  const fd = openSocket(address.includes(':') ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, where.nsFd)
  const port = 7007
  expect(calls.bind(fd, ipSockaddr(address, port))).toBe(0)
  expect(calls.listen(fd, 8)).toBe(0)
  const accepting = watch(fd, 'read', () => {
    const peer = calls.accept4(fd, SOCK_NONBLOCK)
    if (peer < 0) return
    const reading = watch(peer, 'read', () => {
      const buffer = new Uint8Array(100)
      const n = calls.recv(peer, buffer, 0)
      if (n > 0) calls.send(peer, buffer.subarray(0, n), 0)
      reading.close()
      closeFd(peer)
    })
  })
  const close = () => {
    accepting.close()
    closeFd(fd)
  }
  return { port, close }
}
