import { afterAll, expect, test } from 'bun:test'
import { decodeMessage } from '../../dns/decode.ts'
import { encodeMessage } from '../../dns/encode.ts'
import { framed, split } from '../../dns/frames.ts'
import type { Message } from '../../dns/message.ts'
import { ENDPOINT_SLICES, PODS, SERVICES } from '../../kube/resources.ts'
import { MemoryApi } from '../../kube/testing/memory-api.ts'
import { addrAdd } from '../../linux/netlink/address.ts'
import { linkAdd } from '../../linux/netlink/link-add.ts'
import { linkSet } from '../../linux/netlink/link-ops.ts'
import { openRtnl } from '../../linux/netlink/rtnl-socket.ts'
import { netnsAdd, netnsDel, netnsPath, withNetns } from '../../linux/netns.ts'
import { tcpProbe } from '../../linux/rawsocket.ts'
import { closeFd } from '../../linux/socket.ts'
import { serveDnsPods } from './pods.ts'
import { runDns } from './run.ts'
import { endpoint, service, slice } from './testing/objects.ts'

const NETNS = `wefttest-dns-${process.pid}`
const ADDRESSES = ['192.0.2.1', '192.0.2.2', '2001:db8::1']
const nsFd = netnsAdd(NETNS)
const stop = new AbortController()
const log = { info: () => undefined, warn: () => undefined }
const api = new MemoryApi()

{
  using rtnl = openRtnl({ nsFd })
  linkSet(rtnl, 'lo', { up: true })
  const link = linkAdd(rtnl, { kind: 'veth', name: 'eth0', up: true, peer: { name: 'eth1', nsFd } }).index
  linkSet(rtnl, 'eth1', { up: true })
  for (const one of ADDRESSES)
    addrAdd(rtnl, { link, address: one.includes(':') ? `${one}/64` : `${one}/24`, nodad: true })
}
const many = service('shop', 'many', { clusterIP: 'None' })
await api.create(SERVICES, many)
await api.create(SERVICES, service('shop', 'web', { clusterIP: '10.96.0.7' }))
await api.create(
  ENDPOINT_SLICES,
  slice(
    many,
    'many-1',
    Array.from({ length: 100 }, (_, i) => endpoint(`10.1.2.${i}`)),
  ),
)
const running = runDns({ api, netns: netnsPath(NETNS), domain: 'cluster.local', signal: stop.signal, log })
// Serving begins when the names are known.
while (!(await tcpProbe({ address: '2001:db8::1', port: 53, nsFd, timeoutMs: 1000 })).reached) await Bun.sleep(5)

afterAll(async () => {
  stop.abort()
  await running
  closeFd(nsFd)
  netnsDel(NETNS)
})

test.each(ADDRESSES)('a question to %s is answered from there, by UDP and by TCP', async (address) => {
  const byUdp = await askUdp(address, question('web.shop.svc.cluster.local'))
  expect(byUdp).toMatchObject({ from: address, message: { id: 7, answers: [{ data: { address: '10.96.0.7' } }] } })
  const [byTcp] = await askTcp(address, [question('web.shop.svc.cluster.local')])
  expect(byTcp?.answers.map(({ data }) => data)).toEqual([{ type: 'A', address: '10.96.0.7' }])
})

test('what is cut by UDP is whole by TCP, several questions in one connection', async () => {
  const { message } = await askUdp('192.0.2.1', question('many.shop.svc.cluster.local'))
  expect(message?.truncated).toBe(true)
  const answers = await askTcp('192.0.2.1', [question('many.shop.svc.cluster.local'), question('none.cluster.local')])
  expect(answers.map((one) => [one.rcode, one.answers.length])).toEqual([
    [0, 100],
    [3, 0],
  ])
})

test('scraps and answers get no answer, and the next question does', async () => {
  const scraps = [new Uint8Array(0), new Uint8Array(11), new Uint8Array(60_000), new Uint8Array(40).fill(0xff)]
  const { message } = await askUdp('192.0.2.2', ...scraps, question('web.shop.svc.cluster.local'))
  expect(message?.answers).toHaveLength(1)
})

test('a service that comes is answered, and no more when it goes', async () => {
  await api.create(SERVICES, service('shop', 'late', { clusterIP: '10.96.0.9' }))
  const says = async (): Promise<number | undefined> =>
    (await askUdp('192.0.2.1', question('late.shop.svc.cluster.local'))).message?.rcode
  expect(await until(async () => (await says()) === 0)).toBe(true)
  await api.delete(SERVICES, { namespace: 'shop', name: 'late' })
  expect(await until(async () => (await says()) === 3)).toBe(true)
})

test('names are served in a pod that is there for it, while it is', async () => {
  const ending = new AbortController()
  const netnsOf = (): string => netnsPath(NETNS)
  // The name server of the other tests holds port 53.
  const options = { api, netnsOf, domain: 'cluster.local', port: 5353, signal: ending.signal, log }
  const serving = serveDnsPods(options)
  const at = { namespace: 'kube-system', name: 'weft-dns-1' }
  const labels = { 'k8s-app': 'kube-dns' }
  const status = { podIPs: [{ ip: '192.0.2.1' }] }
  await api.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata: { ...at, labels }, status })
  expect(await until(() => isServed('192.0.2.1'))).toBe(true)
  expect(await isServed('192.0.2.2')).toBe(false)
  await api.delete(PODS, at)
  expect(await until(async () => !(await isServed('192.0.2.1')))).toBe(true)
  ending.abort()
  await serving
})

async function isServed(address: string): Promise<boolean> {
  return (await tcpProbe({ address, port: 5353, nsFd, timeoutMs: 1000 })).reached
}

async function until(isSo: () => Promise<boolean>): Promise<boolean> {
  for (let tries = 0; tries < 2_000; tries++) {
    if (await isSo()) return true
    await Bun.sleep(10)
  }
  return false
}

function question(name: string): Uint8Array {
  const wire = Uint8Array.from(`${name}.`.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]))
  return encodeMessage({
    id: 7,
    isResponse: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    rcode: 0,
    questions: [{ name, type: 1, class: 1, wire }],
    answers: [],
    authorities: [],
    additionals: [],
  })
}

async function askUdp(address: string, ...datagrams: readonly Uint8Array[]) {
  const answered = Promise.withResolvers<{ readonly from: string; readonly message: Message | undefined }>()
  let opening: Promise<{ send(bytes: Uint8Array, port: number, to: string): unknown; close(): void }> | undefined
  withNetns(nsFd, () => {
    opening = Bun.udpSocket({
      hostname: address.includes(':') ? '::' : '0.0.0.0',
      socket: {
        data: (_, bytes, __, from) => answered.resolve({ from, message: decodeMessage(new Uint8Array(bytes)) }),
      },
    })
  })
  const socket = await opening
  for (const one of datagrams) socket?.send(one, 53, address)
  try {
    return await answered.promise
  } finally {
    socket?.close()
  }
}

async function askTcp(address: string, questions: readonly Uint8Array[]): Promise<readonly Message[]> {
  const answered = Promise.withResolvers<readonly Message[]>()
  let heard = new Uint8Array(0)
  let opening: Promise<{ end(): void }> | undefined
  withNetns(nsFd, () => {
    opening = Bun.connect({
      hostname: address,
      port: 53,
      socket: {
        open: (socket) => {
          for (const byte of Buffer.concat(questions.map(framed))) socket.write(Uint8Array.of(byte))
        },
        data: (_, bytes) => {
          heard = new Uint8Array(Buffer.concat([heard, bytes]))
          const { messages } = split(heard)
          if (messages.length === questions.length)
            answered.resolve(messages.flatMap((one) => decodeMessage(one) ?? []))
        },
      },
    })
  })
  const socket = await opening
  try {
    return await answered.promise
  } finally {
    socket?.end()
  }
}
