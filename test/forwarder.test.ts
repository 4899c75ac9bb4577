/** The CNI forwarder as a process of its own against a socket of ours: what it sends, and what it makes of an answer. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeWireRequest, encodeWireReply, MAX_ENVIRONMENT, MAX_INPUT, MAX_REPLY } from '../src/cni/index.ts'
import { checked } from '../src/linux/errno.ts'
import { AF_UNIX, encodeSockaddr } from '../src/linux/sockaddr.ts'
import { closeFd, openSocket, peerOf, SOCK_SEQPACKET, setReceiveTimeout } from '../src/linux/socket.ts'
import { systemCalls } from '../src/linux/sys/addon.ts'
import type { ReceivedMessage } from '../src/linux/sys/calls.ts'

const folder = mkdtempSync(join(tmpdir(), 'weft-forwarder-'))
const plugin = join(folder, 'weft-cni')
let sockets = 0

beforeAll(() => {
  const script = Bun.fileURLToPath(new URL('../native/build-forwarder.sh', import.meta.url))
  const built = Bun.spawnSync([script, plugin])
  if (!built.success) throw new Error(built.stderr.toString())
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Exchange {
  readonly received: ReceivedMessage
  readonly message: Uint8Array
  readonly namespaces: readonly number[]
  readonly peer: number
  readonly pid: number
  readonly status: number
  readonly output: string
}

type Answer = (connection: number) => void

const ok: Answer = (connection) => reply(connection, 0, '{}')

function reply(connection: number, status: number, output: string): void {
  send(connection, encodeWireReply({ status, output: new TextEncoder().encode(output) }))
}

function send(connection: number, message: Uint8Array): void {
  checked(systemCalls().sendmsg(connection, message, null, 0), 'sendmsg')
}

function hangUp(connection: number): void {
  checked(systemCalls().shutdown(connection, 2), 'shutdown')
}

/** Runs the forwarder once against a listening socket and answers it. Blocks while it waits, for 20 s at most. */
async function exchange(
  environment: Readonly<Record<string, string>>,
  input: Uint8Array,
  answer: Answer,
): Promise<Exchange> {
  const path = join(folder, `${sockets++}.sock`)
  const listener = openSocket(AF_UNIX, SOCK_SEQPACKET, 0)
  try {
    checked(systemCalls().bind(listener, encodeSockaddr({ family: 'unix', path })), 'bind')
    checked(systemCalls().listen(listener, 1), 'listen')
    setReceiveTimeout(listener, 20_000)
    // A file: nobody could feed a pipe while this thread waits for the connection.
    const stdin = join(folder, `${sockets}.input`)
    await Bun.write(stdin, input)
    const env = { CNI_COMMAND: 'ADD', SECRET: 'x', WEFT_CNI_SOCKET: path, ...environment }
    const child = Bun.spawn([plugin], { argv0: '/opt/cni/bin/ovs', env, stdin: Bun.file(stdin), stdout: 'pipe' })
    const connection = checked(systemCalls().accept4(listener, 0), 'accept4')
    const served = serve(connection, answer)
    const output = await new Response(child.stdout).text()
    closeFd(connection)
    return { ...served, pid: child.pid, status: await child.exited, output }
  } finally {
    closeFd(listener)
  }
}

function serve(connection: number, answer: Answer): Pick<Exchange, 'received' | 'message' | 'namespaces' | 'peer'> {
  setReceiveTimeout(connection, 20_000)
  const buffer = new Uint8Array(2 * MAX_INPUT)
  const received = systemCalls().recvmsg(connection, buffer, 0)
  if (typeof received === 'number') throw new Error(`recvmsg: ${received}`)
  const namespaces = received.fds.map((fd) => statSync(`/proc/self/fd/${fd}`).ino)
  received.fds.forEach(closeFd)
  const peer = peerOf(connection).pid
  answer(connection)
  return { received, message: buffer.subarray(0, received.n), namespaces, peer }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('the request', () => {
  test('holds name, CNI_ variables, input and the open namespace, nothing else', async () => {
    const CNI_NETNS = '/proc/self/ns/net'
    const result = await exchange({ CNI_NETNS, CNI_ARGS: 'A=ä', CNI_EMPTY: '' }, bytes('{"x":1}'), ok)
    const request = decodeWireRequest(result.message)
    expect(request.program).toBe('ovs')
    expect(Object.fromEntries(request.environment)).toEqual({
      CNI_COMMAND: 'ADD',
      CNI_NETNS,
      CNI_ARGS: 'A=ä',
      CNI_EMPTY: '',
    })
    expect(new TextDecoder().decode(request.input)).toBe('{"x":1}')
    expect(request.hasNetns).toBe(true)
    expect(result.namespaces).toEqual([statSync('/proc/self/ns/net').ino])
    expect(result.peer).toBe(result.pid)
    expect({ status: result.status, output: result.output }).toEqual({ status: 0, output: '{}' })
  })

  test.each([{}, { CNI_NETNS: '' }, { CNI_NETNS: '/gone' }])(
    'comes without a namespace for %j',
    async (environment) => {
      const { message, received } = await exchange(environment, bytes('{}'), ok)
      expect(decodeWireRequest(message).hasNetns).toBe(false)
      expect(received.fds).toEqual([])
    },
  )

  test('may be as large as the limits allow', async () => {
    const input = new Uint8Array(MAX_INPUT).fill(0x20)
    const CNI_ARGS = 'x'.repeat(MAX_ENVIRONMENT - 'CNI_COMMAND=ADD\0CNI_ARGS=\0'.length)
    const { message, output } = await exchange({ CNI_ARGS }, input, ok)
    const request = decodeWireRequest(message)
    expect(request.input.length).toBe(MAX_INPUT)
    expect(request.environment.get('CNI_ARGS')).toBe(CNI_ARGS)
    expect(output).toBe('{}')
  })

  test.each([
    ['an input', {}, MAX_INPUT + 1, 5],
    ['an environment', { CNI_ARGS: 'x'.repeat(MAX_ENVIRONMENT) }, 2, 4],
  ])('is not sent with %s beyond the limits', async (_, environment, size, code) => {
    const result = await exchange(environment, new Uint8Array(size), () => {})
    expect(result.received.n).toBe(0)
    expect({ status: result.status, code: JSON.parse(result.output).code }).toEqual({ status: 1, code })
  })
})

describe('the answer', () => {
  test.each([
    [0, ''],
    [1, '{"code":11}\n'],
    [255, 'x'.repeat(MAX_REPLY - 1)],
  ])('is printed as it is: status %i', async (status, text) => {
    const result = await exchange({}, bytes('{}'), (connection) => reply(connection, status, text))
    expect({ status: result.status, output: result.output }).toEqual({ status, output: text })
  })

  test.each([
    ['that never comes from a socket shut down', hangUp, 11],
    ['that is empty', (connection: number) => send(connection, new Uint8Array(0)), 11],
    ['that is too large', (connection: number) => send(connection, new Uint8Array(MAX_REPLY + 1)), 132],
    ['that does not come in time', () => {}, 11],
  ] as const)('%s is an error with a code', async (_, answer, code) => {
    const result = await exchange({ WEFT_CNI_TIMEOUT: '1' }, bytes('{"cniVersion":"1.1.0"}'), answer)
    expect(result.status).toBe(1)
    expect(JSON.parse(result.output)).toMatchObject({ cniVersion: '1.1.0', code })
  })
})
