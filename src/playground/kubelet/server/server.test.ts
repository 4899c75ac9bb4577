/** The playground's server over real sockets on the loopback. */
import { afterAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { readRequest } from './http.ts'
import { endText, plainAddress } from './identity.ts'
import { parseServe, serveArguments } from './serve.ts'
import { listenTcp } from './tcp.ts'
import { listenUdp } from './udp.ts'

const who = { name: 'shop/web', node: 'node1' }
const told: string[] = []
const port = freePort()
const server = listenTcp(port, who, (line) => told.push(line))
afterAll(() => server.close())

function freePort(): number {
  const probe = Bun.listen({ hostname: '::', port: 0, socket: { data: () => undefined } })
  probe.stop(true)
  return probe.port
}

/** Everything that comes back for some pieces sent one after the other, until the server closes or `enough`. */
async function talk(pieces: readonly string[], enough: (text: string) => boolean): Promise<string> {
  const done = Promise.withResolvers<string>()
  let text = ''
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      data: (_, bytes) => {
        text += bytes.toString()
        if (enough(text)) done.resolve(text)
      },
      close: () => done.resolve(text),
    },
  })
  for (const piece of pieces) {
    socket.write(piece)
    await Bun.sleep(5)
  }
  const answer = await done.promise
  socket.end()
  return answer
}

describe('over TCP', () => {
  test('who speaks no HTTP is greeted and gets everything back', async () => {
    const text = await talk(['hello\n', 'again\n'], (all) => all.endsWith('again\n'))
    expect(text).toMatch(/^shop\/web 127\.0\.0\.1 port=\d+ node=node1\nhello\nagain\n$/)
  })

  test('who says nothing is greeted', async () => {
    expect(await talk([], (all) => all.endsWith('\n'))).toMatch(/^shop\/web 127\.0\.0\.1 port=\d+ node=node1\n$/)
  })

  test.each([
    ['IPv4', '127.0.0.1', '127.0.0.1'],
    ['IPv6', '[::1]', '[::1]'],
  ])('HTTP over %s', async (_, host, seen) => {
    const response = await fetch(`http://${host}:${port}/some/path?x=1`)
    const text = await response.text()
    expect(text).toContain('pod: web\nnamespace: shop\nnode: node1\n')
    expect(text).toContain(`client: ${seen}:`)
    expect(text).toContain('path: /some/path?x=1\n')
    expect(told.at(-1)).toContain('HTTP GET /some/path?x=1')
  })

  test('a connection serves several requests, also in pieces and with bodies', async () => {
    const first = 'POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello'
    const second = 'GET /b HTTP/1.1\r\nConnection: close\r\n\r\n'
    const text = await talk(['PO', first.slice(2, 30), first.slice(30) + second], () => false)
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
    expect(text).toContain('path: /a\n')
    expect(text.endsWith('path: /b\n')).toBe(true)
  })

  test('no bytes end the server', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 60 }), async (text) => {
        await talk([`${text}\u0001`], (all) => all.length > 0)
      }),
      { numRuns: 20 },
    )
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
  })
})

test('over UDP the datagram comes back below the facts', async () => {
  const at = freePort()
  const udp = await listenUdp(at, who, () => undefined)
  const answer = Promise.withResolvers<string>()
  const client = await Bun.udpSocket({
    hostname: '127.0.0.1',
    socket: { data: (_, b) => answer.resolve(b.toString()) },
  })
  client.send('ping', at, '127.0.0.1')
  expect(await answer.promise).toBe(`shop/web 127.0.0.1 port=${client.port} node=node1\nping`)
  client.close()
  udp.close()
})

test('reading a request never fails, and never takes more than there is', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const read = readRequest(bytes)
      if (typeof read === 'object') expect(read.length).toBeLessThanOrEqual(bytes.length)
    }),
  )
  expect(readRequest(Buffer.from(`GET /${'x'.repeat(20_000)}`))).toBe('other')
  expect(readRequest(Buffer.from(`GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(9000)}`))).toBe('other')
})

test('addresses are written plainly', () => {
  expect(plainAddress('::ffff:10.0.0.1')).toBe('10.0.0.1')
  expect(endText({ address: 'fd00::1', port: 8 })).toBe('[fd00::1]:8')
})

test('arguments say what they were made of', () => {
  const options = { ...who, tcp: [80, 8080], udp: [53], extra: 8080 }
  expect(parseServe(serveArguments(options))).toEqual(options)
  expect(parseServe([])).toEqual({ name: 'somebody', tcp: [8080], udp: [] })
})
