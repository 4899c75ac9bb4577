import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { ask, configure, confirm } from './control.ts'
import { type BirdError, refusedConfiguration } from './errors.ts'
import { type Reply, ReplyReader } from './reply.ts'

let folder = ''
let path = ''
let server: Server | undefined
const sockets = new Set<Socket>()

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-bird-'))
  path = join(folder, 'bird.ctl')
})

afterEach(() => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  server?.close()
  server = undefined
  rmSync(folder, { recursive: true, force: true })
})

const HELLO = '0001 BIRD 2.0.12 ready.\n'

/** A server that says hello, and to a command what it is given. */
async function answering(answer: (socket: Socket, command: string) => void, hello = HELLO): Promise<void> {
  const listening = Promise.withResolvers<void>()
  server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.write(hello)
    socket.on('data', (bytes) => answer(socket, bytes.toString()))
  }).listen(path, listening.resolve)
  await listening.promise
}

function failure(call: Promise<unknown>): Promise<BirdError> {
  return call.then(
    () => {
      throw new Error('it did not fail')
    },
    (error: BirdError) => error,
  )
}

test('an answer is what is between two codes with a blank, however it is cut', () => {
  const line = fc.record({ code: fc.integer({ min: 0, max: 9999 }), text: fc.stringMatching(/^[ -~]{0,20}$/) })
  const answers = fc.array(fc.array(line, { minLength: 1, maxLength: 6 }), { maxLength: 4 })
  fc.assert(
    fc.property(answers, fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 40 }), (given, cuts) => {
      const bytes = new TextEncoder().encode(given.map(written).join(''))
      const reader = new ReplyReader()
      const read: Reply[] = []
      let start = 0
      for (const cut of [...cuts, bytes.length]) {
        read.push(...reader.read(bytes.subarray(start, start + cut)))
        start = Math.min(start + cut, bytes.length)
      }
      expect(read.map(({ lines }) => lines)).toEqual(given)
    }),
  )
})

/** Lines as BIRD writes them: the same code again is a blank. */
function written(lines: readonly { readonly code: number; readonly text: string }[]): string {
  return lines
    .map(({ code, text }, i) => {
      const isLast = i === lines.length - 1
      if (!isLast && lines[i - 1]?.code === code) return ` ${text}\n`
      return `${String(code).padStart(4, '0')}${isLast ? ' ' : '-'}${text}\n`
    })
    .join('')
}

test('lines of the log are no answer', () => {
  const reader = new ReplyReader()
  const bytes = new TextEncoder().encode('1000-BIRD\n+2026 <INFO> Reconfigured\n0013 Daemon is up\n')
  expect(reader.read(bytes)).toEqual([
    {
      lines: [
        { code: 1000, text: 'BIRD' },
        { code: 13, text: 'Daemon is up' },
      ],
      last: { code: 13, text: 'Daemon is up' },
    },
  ])
})

describe('at a socket', () => {
  test('a command gets its answer', async () => {
    await answering((socket, command) => {
      expect(command).toBe('configure confirm\n')
      socket.write('0018 Reconfiguration ')
      setTimeout(() => socket.write('confirmed\n'), 5)
    })
    expect(await confirm({ path })).toBe(true)
  })

  test('a configuration that is refused is an error with its place', async () => {
    await answering((socket) =>
      socket.write('0002-Reading configuration from /x/bird.conf\n8002 /x/bird.conf:3:7 syntax error\n'),
    )
    const error = await failure(configure({ path }, '/x/bird.conf', 20))
    expect(error.code).toBe('BIRD_CONFIGURATION')
    expect(error.message).toBe('BIRD refuses the configuration (bird.conf, line 3): syntax error')
    expect(error.place).toEqual({ file: '/x/bird.conf', line: 3, column: 7 })
  })

  test('nobody there', async () => {
    expect((await failure(ask({ path }, 'show status'))).code).toBe('BIRD_UNAVAILABLE')
  })

  test('one that closes instead of answering', async () => {
    await answering((socket) => socket.end())
    expect((await failure(ask({ path }, 'show status'))).code).toBe('BIRD_UNAVAILABLE')
  })

  test('one that never answers', async () => {
    await answering(() => {})
    expect((await failure(ask({ path, timeoutMs: 50 }, 'show status'))).code).toBe('BIRD_TIMEOUT')
  })

  test('one that goes on for ever', async () => {
    await answering((socket) => socket.write('x'.repeat(100_000)))
    expect((await failure(ask({ path }, 'show status'))).code).toBe('BIRD_GARBAGE')
  })

  test.each(['HTTP/1.1 400 Bad Request\r\n', ' no code before\n', '9999 other\n'])(
    'one that is no BIRD: %p',
    async (hello) => {
      await answering(() => {}, hello)
      expect((await failure(ask({ path }, 'show status'))).code).toBe('BIRD_GARBAGE')
    },
  )

  test('a path cannot say more than a path', async () => {
    await answering((socket) => socket.write('0003 Reconfigured\n'))
    expect((await failure(configure({ path }, '/x"; down'))).code).toBe('BIRD_REFUSED')
    expect((await failure(ask({ path }, 'show status\ndown'))).message).toBe('a command is one line')
  })
})

test('what a refusal says stays one line of ASCII', () => {
  expect(refusedConfiguration('bird: \u001b[31m a\nb').message).toBe('BIRD refuses the configuration: [31m a b')
})
