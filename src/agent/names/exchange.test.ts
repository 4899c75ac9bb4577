/** Against the playground's DNS server on the loopback, and one that does what servers must not. */
import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeMessage } from '../../dns/decode.ts'
import { encodeMessage } from '../../dns/encode.ts'
import { framed, split } from '../../dns/frames.ts'
import { type DnsRecord, type Message, RCODES } from '../../dns/message.ts'
import { serveDns } from '../../playground/dns/server.ts'
import { endpoint, service, slice } from '../../playground/dns/testing/objects.ts'
import { ClusterZone } from '../../playground/dns/zone.ts'
import { ask, type NameServer } from './exchange.ts'
import { lookUp } from './lookup.ts'
import type { AddressType } from './question.ts'
import { nameServersIn, nameServersOf } from './resolv-conf.ts'

const QUICK = { udp: 300, tcp: 300 }
const open: { close(): void }[] = []
const folder = mkdtempSync(join(tmpdir(), 'weft-names-'))

afterAll(() => {
  for (const one of open) one.close()
  rmSync(folder, { recursive: true })
})

const zone = new ClusterZone('cluster.local')
zone.setService(service('shop', 'web', { clusterIP: '172.30.0.10', clusterIPs: ['172.30.0.10', 'fd00:172::a'] }))
const many = service('shop', 'many', { clusterIP: 'None' })
zone.setService(many)
zone.setSlice(
  slice(
    many,
    'many-1',
    Array.from({ length: 200 }, (_, n) => endpoint(`10.1.2.${n}`)),
  ),
)

/** The playground's server, on every loopback address. */
async function realServer(): Promise<number> {
  for (let tries = 0; ; tries += 1) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    try {
      open.push(serveDns({ zone, netns: '/proc/self/ns/net', addresses: ['127.0.0.1', '::1'], port }))
      return port
    } catch (error) {
      if (tries > 20) throw error
    }
  }
}

/** What a server makes of a question: the bytes that it sends, one after the other. */
type Behaviour = (asked: Message) => readonly Uint8Array[]

/** A server that behaves so by UDP, and so by TCP. Another test may have the port that is free for the one by the other. */
async function badServer(udp: Behaviour, tcp: Behaviour = () => [], tries = 20): Promise<NameServer> {
  const datagrams = await Bun.udpSocket({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data: (socket, bytes, port, address) => {
        const asked = decodeMessage(bytes)
        if (asked === undefined) throw new Error('no question')
        for (const answer of udp(asked)) socket.send(answer, port, address)
      },
    },
  })
  open.push(datagrams)
  try {
    const streams = listen(datagrams.port, tcp)
    open.push({ close: () => streams.stop(true) })
    return { address: '127.0.0.1', port: datagrams.port }
  } catch (error) {
    if (tries === 0) throw error
    return badServer(udp, tcp, tries - 1)
  }
}

function listen(port: number, tcp: Behaviour): { stop(now: boolean): void } {
  return Bun.listen({
    hostname: '127.0.0.1',
    port,
    socket: {
      data: (socket, bytes) => {
        const [first] = split(bytes).messages
        const asked = first && decodeMessage(first)
        if (asked === undefined) throw new Error('no question')
        for (const answer of tcp(asked)) socket.write(answer)
        socket.end()
      },
    },
  })
}

const record = (name: string, address: string): DnsRecord => ({ name, ttl: 60, data: { type: 'A', address } })
const reply = (asked: Message, change: Partial<Message> = {}): Message => ({
  ...asked,
  isResponse: true,
  recursionAvailable: true,
  answers: asked.questions.map(({ name }) => record(name, '192.0.2.1')),
  ...change,
})
const good: Behaviour = (asked) => [encodeMessage(reply(asked))]
const NAME = { name: 'www.example', type: 'A' } as const
const RIGHT = { type: 'addresses', addresses: ['192.0.2.1'], ttl: 60 }

test('a real server is asked for both families, at either of its own', async () => {
  const port = await realServer()
  for (const address of ['127.0.0.1', '::1']) {
    const found = await lookUp('web.shop.svc.cluster.local', {
      servers: () => [{ address, port }],
      types: () => ['A', 'AAAA'],
    })
    expect(found).toMatchObject({ addresses: ['172.30.0.10', 'fd00:172::a'] })
  }
})

test('what does not fit a datagram comes by TCP; what is not there is an answer', async () => {
  const server = { address: '127.0.0.1', port: await realServer() }
  const all = await ask(server, { name: 'many.shop.svc.cluster.local', type: 'A' })
  expect(all.type === 'addresses' && all.addresses.length).toBe(200)
  expect(await ask(server, { name: 'nobody.shop.svc.cluster.local', type: 'A' })).toMatchObject({ addresses: [] })
  expect(await ask(server, { name: 'many.shop.svc.cluster.local', type: 'AAAA' })).toMatchObject({ addresses: [] })
  // Of names outside its cluster it knows nothing, and says so.
  expect(await ask(server, { name: 'www.example.org', type: 'A' })).toMatchObject({ type: 'failure' })
})

test('a question has an id and a port of its own', async () => {
  const ids = new Set<number>()
  const server = await badServer((asked) => {
    ids.add(asked.id)
    return good(asked)
  })
  await Promise.all(Array.from({ length: 20 }, () => ask(server, NAME, QUICK)))
  expect(ids.size).toBeGreaterThan(15)
})

const evil = (asked: Message) => asked.questions.map(({ name }) => record(name, '203.0.113.66'))

test.each<[string, Behaviour]>([
  ['with another id', (asked) => [encodeMessage(reply(asked, { id: asked.id ^ 1, answers: evil(asked) }))]],
  [
    'to another question',
    (asked) => {
      const questions = asked.questions.map((one) => ({ ...one, type: 28 }))
      return [encodeMessage(reply(asked, { questions, answers: evil(asked) }))]
    },
  ],
  ['that is a question', (asked) => [encodeMessage({ ...asked, answers: evil(asked) })]],
  ['of rubbish', () => [Uint8Array.of(1, 2, 3), new Uint8Array(600).fill(0xff), new Uint8Array(0)]],
  ['with half a record', (asked) => [encodeMessage(reply(asked)).slice(0, -2)]],
])('an answer %s is none, and the right one after it is taken', async (_, wrong) => {
  const server = await badServer((asked) => [...wrong(asked), ...good(asked)])
  expect(await ask(server, NAME, QUICK)).toEqual(RIGHT as never)
  const alone = await badServer(wrong)
  expect(await ask(alone, NAME, QUICK)).toMatchObject({ type: 'failure' })
})

test('who sends answers without end is not listened to for ever', async () => {
  const server = await badServer(() => Array.from({ length: 400 }, () => Uint8Array.of(1, 2, 3)))
  expect(await ask(server, NAME, { udp: 60_000, tcp: 60_000 })).toEqual(
    expect.objectContaining({
      reason: expect.stringContaining('many'),
    }),
  )
})

const cut: Behaviour = (asked) => [encodeMessage(reply(asked, { truncated: true, answers: [] }))]

test.each<[string, Behaviour, unknown]>([
  ['in pieces', (asked) => [...framed(encodeMessage(reply(asked)))].map((byte) => Uint8Array.of(byte)), RIGHT],
  ['of nothing', () => [], { type: 'failure' }],
  ['cut again', (asked) => cut(asked).map(framed), { type: 'failure' }],
  ['that ends early', (asked) => [framed(encodeMessage(reply(asked))).slice(0, -1)], { type: 'failure' }],
  ['to somebody else', (asked) => [framed(encodeMessage(reply(asked, { id: asked.id ^ 1 })))], { type: 'failure' }],
  ['of rubbish', () => [framed(new Uint8Array(500).fill(0xff))], { type: 'failure' }],
])('a stream %s', async (_, behaviour, expected) => {
  const server = await badServer(cut, behaviour)
  expect(await ask(server, NAME, QUICK)).toMatchObject(expected as object)
})

test('the next server is asked when one fails, and not when it says that there is none', async () => {
  const failing = await badServer((asked) => [encodeMessage(reply(asked, { rcode: RCODES.SERVFAIL, answers: [] }))])
  const silent = await badServer(() => [])
  const none = await badServer((asked) => [encodeMessage(reply(asked, { rcode: RCODES.NXDOMAIN, answers: [] }))])
  const right = await badServer(good)
  const types = (): readonly AddressType[] => ['A']
  const asking: typeof ask = (server, asked) => ask(server, asked, QUICK)
  const look = (...servers: readonly NameServer[]) =>
    lookUp('www.example', { servers: () => servers, types, ask: asking })
  expect(await look(failing, silent, right)).toMatchObject({ addresses: ['192.0.2.1'] })
  expect(await look(none, right)).toMatchObject({ addresses: [] })
  const failed = await look(failing, silent)
  expect('failure' in failed && failed.failure).toContain('SERVFAIL')
  expect('failure' in failed && failed.failure).toContain('no answer')
  const nowhere = await look({ address: '127.0.0.1', port: 1 })
  expect('failure' in nowhere && nowhere.failure).toContain('refused')
})

test('half of the families is not known', async () => {
  const server = await badServer((asked) =>
    asked.questions[0]?.type === 1
      ? good(asked)
      : [encodeMessage(reply(asked, { rcode: RCODES.SERVFAIL, answers: [] }))],
  )
  const found = await lookUp('www.example', { servers: () => [server], types: () => ['A', 'AAAA'] })
  expect('failure' in found).toBe(true)
})

test.each([
  ['nameserver 192.0.2.1\nnameserver 2001:db8::1\n', ['192.0.2.1', '2001:db8::1']],
  ['# nameserver 192.0.2.9\nsearch example\n\tnameserver\t192.0.2.1 # ours\n', ['192.0.2.1']],
  ['nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver 1.1.1.4', ['1.1.1.1', '1.1.1.2', '1.1.1.3']],
  ['nameserver fe80::1%eth0', ['fe80::1%eth0']],
  ['nameserver example.org\nnameserver 300.1.1.1', ['127.0.0.1']],
  ['', ['127.0.0.1']],
])('resolv.conf %p', (text, servers) => {
  expect(nameServersIn(text)).toEqual(servers)
})

test('a resolv.conf that is not there is a reason', async () => {
  const path = join(folder, 'resolv.conf')
  const look = () =>
    lookUp('www.example', {
      servers: () => nameServersOf(path).map((address) => ({ address, port: 1 })),
      types: () => ['A'],
    })
  expect(await look()).toEqual(expect.objectContaining({ failure: expect.stringContaining('resolv.conf') }))
  writeFileSync(path, 'nameserver 127.0.0.9\n')
  expect(await look()).toEqual(expect.objectContaining({ failure: expect.stringContaining('127.0.0.9: ') }))
})
