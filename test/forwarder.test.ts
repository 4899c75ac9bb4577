/** The CNI forwarder as a process of its own against a socket of ours: what it sends, and what it makes of an answer. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { closeSync, mkdtempSync, openSync, rmSync, statSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
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
type Environment = Readonly<Record<string, string>>
/** A file, a descriptor, or a pipe that nobody writes into. */
type Stdin = ReturnType<typeof Bun.file> | number | 'pipe'

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
function exchange(environment: Environment, input: Uint8Array | Stdin, answer: Answer): Promise<Exchange> {
  return listening(async (listener, path) => {
    const stdin = input instanceof Uint8Array ? await fileOf(input) : input
    const child = call(path, environment, stdin)
    const connection = checked(systemCalls().accept4(listener, 0), 'accept4')
    const served = serve(connection, answer)
    const output = await new Response(child.stdout).text()
    closeFd(connection)
    return { ...served, pid: child.pid, status: await child.exited, output }
  })
}

/** Runs the forwarder once where it should not even connect; the code of its error. */
function refusal(environment: Environment, stdin: Stdin): Promise<{ readonly status: number; readonly code: number }> {
  return listening(async (listener, path) => {
    const child = call(path, environment, stdin)
    const output = await new Response(child.stdout).text()
    const status = await child.exited
    setReceiveTimeout(listener, 1)
    expect(systemCalls().accept4(listener, 0)).toBe(-constants.errno.EAGAIN)
    return { status, code: JSON.parse(output).code }
  })
}

async function listening<Result>(use: (listener: number, path: string) => Promise<Result>): Promise<Result> {
  const path = join(folder, `${sockets++}.sock`)
  const listener = openSocket(AF_UNIX, SOCK_SEQPACKET, 0)
  try {
    checked(systemCalls().bind(listener, encodeSockaddr({ family: 'unix', path })), 'bind')
    checked(systemCalls().listen(listener, 1), 'listen')
    setReceiveTimeout(listener, 20_000)
    return await use(listener, path)
  } finally {
    closeFd(listener)
  }
}

/** A file: nobody could feed a pipe while this thread waits for the connection. */
async function fileOf(input: Uint8Array): Promise<Stdin> {
  const path = join(folder, `${sockets}.input`)
  await Bun.write(path, input)
  return Bun.file(path)
}

function call(path: string, environment: Environment, stdin: Stdin) {
  const env = { CNI_COMMAND: 'ADD', SECRET: 'x', WEFT_CNI_SOCKET: path, ...environment }
  return Bun.spawn([plugin], { argv0: '/opt/cni/bin/ovs', env, stdin, stdout: 'pipe' })
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

/** A descriptor that gives an error when it is read: a folder. */
async function unreadable<Result>(use: (stdin: number) => Promise<Result>): Promise<Result> {
  const stdin = openSync(folder, 'r')
  try {
    return await use(stdin)
  } finally {
    closeSync(stdin)
  }
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
    expect(await refusal(environment, await fileOf(new Uint8Array(size)))).toEqual({ status: 1, code })
  })

  test.each(['ADD', 'DEL', 'STATUS'])('is not sent while the input of %s does not end', async (CNI_COMMAND) => {
    expect(await refusal({ CNI_COMMAND, WEFT_CNI_TIMEOUT: '1' }, 'pipe')).toEqual({ status: 1, code: 5 })
  })

  test('is not sent where the input cannot be read', async () => {
    expect(await unreadable((stdin) => refusal({}, stdin))).toEqual({ status: 1, code: 5 })
  })

  test('of DEL is sent without an input that is too large or cannot be read', async () => {
    const CNI_COMMAND = 'DEL'
    const results = [
      await exchange({ CNI_COMMAND }, new Uint8Array(MAX_INPUT + 1).fill(0x20), ok),
      await unreadable((stdin) => exchange({ CNI_COMMAND }, stdin, ok)),
    ]
    for (const { message, status } of results) {
      expect(decodeWireRequest(message).input.length).toBe(0)
      expect(status).toBe(0)
    }
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
