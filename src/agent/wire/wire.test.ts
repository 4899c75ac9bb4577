/** On a bridge between namespaces: what hosts really answer. */
import { describe, expect, test } from 'bun:test'
import {
  addrAdd,
  addrDel,
  type Frame,
  linkAdd,
  linkGet,
  linkSet,
  openPacketSocket,
  sysctlSet,
} from '../../linux/index.ts'
import { type Scratch, scratch, veth } from '../../linux/testing/scratch.ts'
import { ip, type Mac } from '../../network/model/address.ts'
import { announce } from './announce.ts'
import { arpProbe, arpQuestion, readArp } from './arp.ts'
import { checkWire, type WireCheck } from './check.ts'
import { dadSolicitation, readNeighbour } from './ndp.ts'
import { PACE } from './pace.ts'

const FAMILIES = [
  { family: 'IPv4', address: ip('172.18.30.131'), free: ip('172.18.30.140'), gateway: ip('172.18.0.1'), length: 16 },
  { family: 'IPv6', address: ip('fd00:18::83'), free: ip('fd00:18::8c'), gateway: ip('fd00:18::1'), length: 64 },
] as const

describe.each(FAMILIES)('$family', ({ address, free, gateway, length }) => {
  test('an address that another host has is told with its MAC address, in the first round', async () => {
    using lan = await wire()
    give(lan.other, `${address}/${length}`)
    const waits: number[] = []
    const pace = {
      ...PACE,
      wait: (ms: number, signal: AbortSignal) => {
        if (ms > 50) waits.push(ms)
        return PACE.wait(ms, signal)
      },
    }
    const start = performance.now()
    const failed = await failure(checkWire(check(lan.pod, { address, gateway }), pace))
    console.info(`${address}: a conflict was found in ${Math.round(performance.now() - start)} ms`)
    expect(failed).toMatchObject({ id: 'address-conflict', code: 140 })
    expect(failed.message).toContain(linkGet(lan.other.rtnl, 'eth0').mac ?? 'none')
    expect(waits.length).toBeLessThanOrEqual(2)
  })

  test('a quiet wire is asked three times', async () => {
    using lan = await wire()
    const heard = listen(lan.other)
    const start = performance.now()
    await checkWire(check(lan.pod, { address, findsGateway: false }))
    console.info(`${address}: a quiet wire took ${Math.round(performance.now() - start)} ms`)
    const probes = (): readonly Frame[] =>
      heard.frames.filter(({ bytes }) => (readArp(bytes) ?? readNeighbour(bytes))?.target === address)
    await until(() => probes().length >= 3)
    expect(probes()).toHaveLength(3)
    heard.close()
  })

  test('the gateway is found where it is, and told where it is not', async () => {
    using lan = await wire()
    expect(await failure(checkWire(check(lan.pod, { address, gateway })))).toMatchObject({ id: 'gateway-unreachable' })
    give(lan.other, `${gateway}/${length}`)
    await checkWire(check(lan.pod, { address, gateway }))
  })

  test('a conflict is told before the gateway is asked', async () => {
    using lan = await wire()
    give(lan.other, `${address}/${length}`)
    const heard = listen(lan.other)
    expect(await failure(checkWire(check(lan.pod, { address, gateway })))).toMatchObject({ id: 'address-conflict' })
    expect(heard.frames.filter(({ bytes }) => (readArp(bytes) ?? readNeighbour(bytes))?.target === gateway)).toEqual([])
    heard.close()
  })

  test('another that asks for the same address at the same time is a conflict', async () => {
    using lan = await wire()
    const mac = linkGet(lan.other.rtnl, 'eth0').mac as Mac
    const link = linkGet(lan.other.rtnl, 'eth0').index
    const rival = openPacketSocket({ link, nsFd: lan.other.nsFd, protocol: 0 })
    const frame = length === 16 ? arpProbe(mac, address) : dadSolicitation(mac, address, new Uint8Array(6))
    const again = setInterval(() => rival.send(frame), 20)
    const failed = await failure(checkWire(check(lan.pod, { address, findsGateway: false })))
    clearInterval(again)
    rival.close()
    expect(failed).toMatchObject({ id: 'address-conflict' })
    expect(failed.message).toContain(mac)
  })

  test('both kinds of announcement reach the others, who believe them', async () => {
    using lan = await wire()
    const mac = linkGet(lan.pod.rtnl, 'eth0').mac as Mac
    give(lan.pod, `${address}/${length}`)
    const heard = listen(lan.other)
    announce({ nsFd: lan.pod.nsFd, ifname: 'eth0', mac, addresses: [address, free] })
    const seen = (): readonly unknown[] =>
      heard.frames.flatMap(({ bytes }) => {
        const arp = readArp(bytes)
        if (arp !== undefined) return [[arp.operation, arp.sender, arp.target, arp.senderMac]]
        const neighbour = readNeighbour(bytes)
        return neighbour?.kind === 'advertisement' ? [[neighbour.source, neighbour.target, neighbour.mac]] : []
      })
    const one =
      length === 16
        ? [
            ['request', address, address, mac],
            ['reply', address, address, mac],
          ]
        : [[address, address, mac]]
    await until(() => seen().length >= 2 * one.length)
    // `free` was never the interface's: nobody is told that it is.
    expect(seen().slice(0, 2 * one.length)).toEqual([...one, ...one])
    // An address that has gone meanwhile is told no more.
    addrDel(lan.pod.rtnl, { link: linkGet(lan.pod.rtnl, 'eth0').index, address: `${address}/${length}` })
    const before = seen().length
    await Bun.sleep(1_100)
    expect(seen().length).toBe(before)
    heard.close()
  })
})

test('what other VLANs say is nothing to an untagged interface', async () => {
  using lan = await wire()
  const { address } = FAMILIES[0]
  const mac = linkGet(lan.other.rtnl, 'eth0').mac as Mac
  const untagged = arpQuestion(mac, address, FAMILIES[0].gateway)
  const tagged = Uint8Array.from([...untagged.subarray(0, 12), 0x81, 0x00, 0x00, 0x64, ...untagged.subarray(12)])
  const rival = openPacketSocket({ link: linkGet(lan.other.rtnl, 'eth0').index, nsFd: lan.other.nsFd, protocol: 0 })
  const sending = (frame: Uint8Array) => setInterval(() => rival.send(frame), 20)
  let again = sending(tagged)
  await checkWire(check(lan.pod, { address }))
  clearInterval(again)
  again = sending(untagged)
  expect(await failure(checkWire(check(lan.pod, { address })))).toMatchObject({ id: 'address-conflict' })
  clearInterval(again)
  rival.close()
})

test('both families are asked at the same time', async () => {
  using lan = await wire()
  const begun: string[] = []
  const all = FAMILIES.map(async ({ family, address }) => {
    begun.push(family)
    await checkWire(check(lan.pod, { address, findsGateway: false }))
    expect(begun).toHaveLength(2)
  })
  await Promise.all(all)
})

test('nothing is asked where nothing is to be found out', async () => {
  using lan = await wire()
  const heard = listen(lan.other)
  await checkWire(check(lan.pod, { address: FAMILIES[0].address, findsConflicts: false }))
  await Bun.sleep(50)
  expect(heard.frames.filter(({ bytes }) => readArp(bytes) !== undefined)).toEqual([])
  heard.close()
})

test('an interface that carries nothing is told, and one that is missing', async () => {
  using lan = await wire()
  linkSet(lan.hub.rtnl, 'pod', { up: false })
  const noWait = { ...PACE, wait: async () => undefined }
  expect(await failure(checkWire(check(lan.pod, { address: FAMILIES[0].address }), noWait))).toMatchObject({
    id: 'link-failed',
  })
  const missing = checkWire({ ...check(lan.pod, { address: FAMILIES[0].address }), ifname: 'net9' })
  expect(await failure(missing)).toMatchObject({ id: 'link-failed' })
})

test('who calls can give up', async () => {
  using lan = await wire()
  const signal = AbortSignal.abort(new Error('the pod is gone'))
  expect(await failure(checkWire({ ...check(lan.pod, { address: FAMILIES[0].address }), signal }))).toMatchObject({
    message: 'the pod is gone',
  })
})

test('announcing on what is not there is no error', async () => {
  using lan = await wire()
  announce({ nsFd: lan.pod.nsFd, ifname: 'net9', mac: '02:00:00:00:00:01' as Mac, addresses: [FAMILIES[0].address] })
  announce({ nsFd: -1, ifname: 'eth0', mac: '02:00:00:00:00:01' as Mac, addresses: [FAMILIES[0].address] })
})

/** IF_OPER_UP. */
const OPERSTATE_UP = 6

interface Lan extends Disposable {
  readonly pod: Scratch
  readonly other: Scratch
  readonly hub: Scratch
}

/** Two hosts on a bridge, each with `eth0`. */
async function wire(): Promise<Lan> {
  const [hub, pod, other] = [scratch(), scratch(), scratch()]
  const bridge = linkAdd(hub.rtnl, { kind: 'bridge', name: 'br0', up: true })
  for (const [name, host] of [
    ['pod', pod],
    ['other', other],
  ] as const) {
    veth(hub, host, name, 'eth0')
    linkSet(hub.rtnl, name, { master: bridge.index })
  }
  // The kernel tells a bridge later, when it is busy much later, that a port carries: until then it drops what is sent.
  await until(() => ['pod', 'other'].every((name) => linkGet(hub.rtnl, name).operState === OPERSTATE_UP))
  return { hub, pod, other, [Symbol.dispose]: () => [pod, other, hub].forEach((each) => void each[Symbol.dispose]()) }
}

function give(host: Scratch, address: string): void {
  sysctlSet(['net', 'ipv6', 'conf', 'eth0', 'accept_dad'], '0', host.nsFd)
  addrAdd(host.rtnl, { link: linkGet(host.rtnl, 'eth0').index, address, nodad: address.includes(':') })
}

function listen(host: Scratch): { readonly frames: Frame[]; close(): void } {
  const frames: Frame[] = []
  const link = linkGet(host.rtnl, 'eth0').index
  const socket = openPacketSocket({ link, nsFd: host.nsFd, onFrame: (frame) => !frame.outgoing && frames.push(frame) })
  return { frames, close: () => socket.close() }
}

function check(pod: Scratch, about: Pick<WireCheck, 'address'> & Partial<WireCheck>): WireCheck {
  const signal = new AbortController().signal
  return { nsFd: pod.nsFd, ifname: 'eth0', findsConflicts: true, findsGateway: true, signal, ...about }
}

async function failure(promise: Promise<void>): Promise<Error> {
  const outcome = await promise.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  )
  return outcome as Error
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !condition(); i += 1) await Bun.sleep(10)
}
