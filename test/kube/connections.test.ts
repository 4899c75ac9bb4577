/**
 * Connections to an API server that is only TLS and an answer: an authority that is replaced, and a proxy on the way.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HttpTransport } from '../../src/kube/http.ts'
import { loadMaster } from '../../src/kube/kubeconfig.ts'
import { type Certificates, makeCertificates } from './certificates.ts'

const folder = mkdtempSync(join(tmpdir(), 'weft-connections-'))
const READ = { method: 'GET', path: '/x' } as const
let first: Certificates
let second: Certificates

beforeAll(async () => {
  for (const name of ['a', 'b']) mkdirSync(join(folder, name))
  first = await makeCertificates(join(folder, 'a'))
  second = await makeCertificates(join(folder, 'b'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** An API server with a certificate; `asked` are the `Authorization` headers that came. */
function serve({ serverCert, serverKey }: Certificates, port = 0) {
  const asked: (string | null)[] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port,
    tls: { cert: readFileSync(serverCert, 'utf8'), key: readFileSync(serverKey, 'utf8') },
    fetch: ({ headers }) => {
      asked.push(headers.get('authorization'))
      return Response.json({ fine: true })
    },
  })
  return { server, asked, url: `https://127.0.0.1:${server.port}` }
}

describe('an authority in a file', () => {
  const caFile = join(folder, 'ca.crt')
  const place = ({ ca }: Certificates): void => {
    copyFileSync(ca, `${caFile}.new`)
    renameSync(`${caFile}.new`, caFile)
  }

  test('that is replaced is believed as soon as the server shows another certificate', async () => {
    place(first)
    const { server, url } = serve(first)
    const http = new HttpTransport({ server: url, caFile, credentials: () => ({ token: 't' }) }, {})
    expect(await http.json(READ)).toEqual({ fine: true })
    await server.stop(true)
    const { server: next, asked } = serve(second, Number(new URL(url).port))
    await expect(http.json(READ)).rejects.toMatchObject({ code: 'KUBE_UNAVAILABLE' })
    // Whom we do not trust is told nothing.
    expect(asked).toEqual([])
    place(second)
    expect(await http.json(READ)).toEqual({ fine: true })
    expect(asked).toEqual(['Bearer t'])
    http.close()
    await next.stop(true)
  })

  test('holds for connections made after it, while calls on older ones finish', async () => {
    place(first)
    let clock = 0
    const { server, url } = serve(first)
    const http = new HttpTransport({ server: url, caFile, credentials: () => ({}) }, { now: () => clock })
    expect(await http.json(READ)).toEqual({ fine: true })
    place(second)
    expect(await http.json(READ)).toEqual({ fine: true })
    clock += 60_000
    await expect(http.json(READ)).rejects.toMatchObject({ code: 'KUBE_UNAVAILABLE' })
    place(first)
    expect(await http.json(READ)).toEqual({ fine: true })
    http.close()
    await server.stop(true)
  })
})

test('a server is reached over IPv6', async () => {
  const server = Bun.serve({ hostname: '::1', port: 0, fetch: () => Response.json({ fine: true }) })
  const http = new HttpTransport(loadMaster(`[::1]:${server.port}`), {})
  expect(await http.json(READ)).toEqual({ fine: true })
  http.close()
  await server.stop(true)
})

test('a proxy carries what it cannot read, and learns nothing but the address', async () => {
  const heads: string[] = []
  const proxy = await startProxy(heads)
  const { server, url, asked } = serve(first)
  const address = proxy.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const ca = readFileSync(first.ca, 'utf8')
  const config = {
    server: url,
    ca,
    proxy: () => `http://me:s3cr3t@127.0.0.1:${port}`,
    credentials: () => ({ token: 't' }),
  }
  const http = new HttpTransport(config, {})
  expect(await http.json(READ)).toEqual({ fine: true })
  expect(asked).toEqual(['Bearer t'])
  expect(heads).toHaveLength(1)
  expect(heads[0]).toStartWith(`CONNECT 127.0.0.1:${server.port} HTTP/1.1\r\n`)
  expect(heads[0]).toContain(`Basic ${btoa('me:s3cr3t')}`)
  expect(heads[0]).not.toContain('Bearer')
  const other = new HttpTransport({ ...config, ca: readFileSync(second.ca, 'utf8') }, {})
  const failure = await other.json(READ).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'KUBE_UNAVAILABLE' })
  expect(Bun.inspect(failure, { depth: 9 })).not.toContain('s3cr3t')
  for (const each of [http, other]) each.close()
  await server.stop(true)
  proxy.close()
})

/** A proxy for CONNECT. */
async function startProxy(heads: string[]): Promise<Server> {
  const proxy = createServer((client) => {
    client.once('data', (head: Buffer) => {
      heads.push(head.toString('latin1'))
      const [, host = '', port = ''] = /^CONNECT ([^:]+):(\d+)/.exec(head.toString('latin1')) ?? []
      const server = connect(Number(port), host, () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n')
        client.pipe(server)
        server.pipe(client)
      })
      for (const socket of [client, server]) socket.on('error', () => socket.destroy())
      client.on('close', () => server.destroy())
      server.on('close', () => client.destroy())
    })
  })
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', () => resolve())
  })
  return proxy
}
