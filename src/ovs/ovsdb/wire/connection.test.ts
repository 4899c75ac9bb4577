import { afterEach, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isOvsdbError } from '../errors.ts'
import { openConnection } from './connection.ts'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A peer that says what no real server can be asked to say. */
async function peer(onConnect: (socket: Socket) => void): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'weft-peer-'))
  const path = join(dir, 's')
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    onConnect(socket)
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
    await rm(dir, { recursive: true, force: true })
  })
  return path
}

const quiet = { remedy: 'start it', onNotification: () => undefined, onClosed: () => undefined }

test("the server's echo is answered with its own parameters, other requests with an error", async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const path = await peer((socket) => {
    let heard = ''
    socket.on('data', (chunk) => {
      heard += chunk
      if (heard.split('}').length > 2) resolve(heard)
    })
    socket.write('{"id":"echo","method":"echo","params":[1,"é"]}{"id":7,"method":"steal","params":[]}')
  })
  const connection = await openConnection({ remote: { kind: 'unix', path }, ...quiet })
  const expected = { id: 'echo', result: [1, 'é'], error: null }
  expect(await promise).toBe(
    JSON.stringify(expected) + JSON.stringify({ id: 7, result: null, error: 'unknown method' }),
  )
  connection.close('done')
})

test('answers to unknown or cancelled requests are ignored, errors keep the server’s word', async () => {
  const path = await peer((socket) => {
    const answers = ['{"id":99,"result":1,"error":null}', '{"id":"x","result":1,"error":null}']
    const error = { error: 'unknown database', details: 'nope' }
    socket.once('data', () => socket.write(`${answers.join('')}${JSON.stringify({ id: 1, result: null, error })}`))
  })
  const connection = await openConnection({ remote: { kind: 'unix', path }, ...quiet })
  const failure = await connection.request('get_schema', ['nope']).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(isOvsdbError(failure, 'OVSDB_RPC_ERROR') && failure.details).toBe('unknown database')
  connection.close('done')
})

test('the end of the stream rejects what is pending, once, and later requests at once', async () => {
  const path = await peer((socket) => socket.once('data', () => socket.end()))
  const reasons: string[] = []
  const connection = await openConnection({
    remote: { kind: 'unix', path },
    ...quiet,
    onClosed: (reason) => reasons.push(reason),
  })
  const codes = async (): Promise<unknown> =>
    connection.request('echo', []).catch((error: unknown) => isOvsdbError(error) && [error.code, error.outcomeUnknown])
  expect(await Promise.all([codes(), codes()])).toEqual([
    ['OVSDB_DISCONNECTED', true],
    ['OVSDB_DISCONNECTED', true],
  ])
  expect(await codes()).toEqual(['OVSDB_DISCONNECTED', false])
  connection.close('again')
  expect(reasons).toHaveLength(1)
})

test('a message above the limit ends the connection', async () => {
  const path = await peer((socket) => socket.write(`{"x":"${'y'.repeat(5000)}`))
  const { promise, resolve } = Promise.withResolvers<string>()
  await openConnection({ remote: { kind: 'unix', path }, ...quiet, onClosed: resolve, maxMessageBytes: 1000 })
  expect(await promise).toContain('OVSDB_MESSAGE_TOO_LARGE')
})
