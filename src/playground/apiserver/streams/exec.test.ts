import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { ApiError, type ExecOptions, type PodRuntime } from '../contract.ts'
import { PODS, startServer, type TestServer } from '../testing/harness.ts'
import { type Channels, connect, processRuntime } from '../testing/process-runtime.ts'

let api: TestServer
const asked: ExecOptions[] = []

beforeAll(async () => {
  const inner = processRuntime()
  const runtime: PodRuntime = {
    ...inner,
    exec: (pod, options) => {
      asked.push(options)
      return inner.exec(pod, options)
    },
  }
  api = await startServer({ runtime })
  await api.call('POST', PODS, {
    metadata: { name: 'p' },
    spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] },
  })
  const two = [
    { name: 'one', image: 'i' },
    { name: 'two', image: 'i' },
  ]
  await api.call('POST', PODS, { metadata: { name: 'two' }, spec: { nodeName: 'n', containers: two } })
  await api.call('POST', PODS, { metadata: { name: 'nowhere' }, spec: { containers: two } })
})

afterAll(() => api.stop())

function open(query: string, protocol = 'v5.channel.k8s.io'): Promise<Channels> {
  return connect(api, `${PODS}/p/exec?${query}`, protocol)
}

function command(...words: readonly string[]): string {
  return words.map((word) => `command=${encodeURIComponent(word)}`).join('&')
}

describe.each(['v5.channel.k8s.io', 'v4.channel.k8s.io'])('%s', (protocol) => {
  test('both outputs, and the exit code last', async () => {
    const { channels, code } = await (
      await open(`${command('sh', '-c', 'echo out; echo err >&2; exit 3')}&stdout=true&stderr=true`, protocol)
    ).closed
    expect([channels[1], channels[2], code]).toEqual(['out\n', 'err\n', 1000])
    expect(JSON.parse(channels[3] ?? '')).toMatchObject({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '3' }] },
    })
  })
})

test('input until it is closed', async () => {
  const socket = await open(`${command('cat')}&stdin=true&stdout=true`)
  socket.send(0, 'hello ')
  socket.send(0, 'world')
  socket.send(255, '\0')
  const { channels } = await socket.closed
  expect([channels[1], JSON.parse(channels[3] ?? '').status]).toEqual(['hello world', 'Success'])
})

test('much output arrives whole', async () => {
  const { channels } = await (await open(`${command('sh', '-c', 'head -c 8000000 /dev/zero')}&stdout=true`)).closed
  expect(channels[1]).toHaveLength(8_000_000)
})

test('a client that goes ends the command', async () => {
  const socket = await open(`${command('sh', '-c', 'echo $$; exec sleep 1000')}&stdout=true`)
  const pid = Number(await socket.first)
  socket.close()
  while (existsSync(`/proc/${pid}`)) await Bun.sleep(5)
})

test('garbage on the channels is passed over', async () => {
  const socket = await open(`${command('cat')}&stdin=true&stdout=true&tty=true`)
  for (const channel of [1, 2, 3, 4, 9, 255]) socket.send(channel, '{"Width":-1}garbage')
  socket.send(4, '{"Width":80,"Height":25}')
  socket.send(0, 'still here')
  socket.send(255, '\0')
  expect((await socket.closed).channels[1]).toBe('still here')
})

test('refusals are a Status', async () => {
  const plain = await api.call('POST', `${PODS}/p/exec?command=ls`)
  expect([plain.status, plain.body.message]).toEqual([400, expect.stringContaining('WebSocket')])
  const upgrade = {
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }
  const get = (path: string) =>
    api.call('GET', `${PODS}/${path}`, undefined, { ...upgrade, 'sec-websocket-protocol': 'v5.channel.k8s.io' })
  expect((await get('p/exec')).body.message).toContain('at least 1 command')
  expect((await get('none/exec?command=ls')).status).toBe(404)
  expect((await get('nowhere/exec?command=ls')).body.message).toBe('pod nowhere does not have a host assigned')
  expect((await get('two/exec?command=ls')).body.message).toBe(
    'a container name must be specified for pod two, choose one of: [one two]',
  )
  expect((await get('two/exec?command=ls&container=three')).status).toBe(400)
})

describe('logs', () => {
  test('come as text, with the options asked for', async () => {
    const answer = await api.call('GET', `${PODS}/p/log?tailLines=2&timestamps=true`)
    expect([answer.status, answer.body]).toEqual([
      200,
      { container: 'c', follow: false, previous: false, timestamps: true, tailLines: 2 },
    ])
  })

  test('what the runtime refuses is told', async () => {
    const failing: PodRuntime = {
      logs: () => Promise.reject(new ApiError(400, 'BadRequest', 'container "c" in pod "p" is waiting to start')),
      exec: () => Promise.reject(new Error('secret words of our own')),
    }
    const other = await startServer({ runtime: failing })
    await other.call('POST', PODS, { metadata: { name: 'p' }, spec: { nodeName: 'n', containers: [{ name: 'c' }] } })
    expect((await other.call('GET', `${PODS}/p/log`)).body.message).toBe('container "c" in pod "p" is waiting to start')
    const { channels } = await (await connect(other, `${PODS}/p/exec?command=ls`, 'v5.channel.k8s.io')).closed
    expect(JSON.parse(channels[3] ?? '')).toMatchObject({ code: 500, message: 'Internal error occurred' })
    await other.stop()
  })
})
