import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { netnsNew, sameNetns } from './netns.ts'
import {
  listenSeqpacket,
  type SeqpacketOptions,
  type SeqpacketRefusal,
  type SeqpacketRequest,
  type SeqpacketServer,
} from './seqpacket.ts'
import { callSeqpacket } from './seqpacket-client.ts'
import { AF_UNIX, encodeSockaddr } from './sockaddr.ts'
import { closeFd, openSocket, SOCK_SEQPACKET } from './socket.ts'
import { systemCalls } from './sys/addon.ts'

const folder = mkdtempSync(join(tmpdir(), 'wefttest-linux-'))
const path = join(folder, 's.sock')
const timeoutMs = 5000
const running: SeqpacketServer[] = []

beforeAll(systemCalls)
// A test that failed leaves its server to nobody else.
afterEach(() => [...running].forEach((server) => void server.close()))
afterAll(() => rmSync(folder, { recursive: true }))

describe('a server', () => {
  test('gets data, descriptors and peer, and its reply arrives whole', async () => {
    const namespace = netnsNew()
    const seen: { same: boolean; request: SeqpacketRequest }[] = []
    const server = serve({
      onRequest: async (request) => {
        await Promise.resolve()
        seen.push({ same: sameNetns(request.fds[0] ?? -1, namespace), request })
        request.reply(new Uint8Array(400_000).fill(7))
      },
    })
    const reply = await callSeqpacket({ path, data: new Uint8Array(300_000).fill(5), fds: [namespace], timeoutMs })
    server.close()
    expect(reply).toEqual(new Uint8Array(400_000).fill(7))
    expect(seen).toHaveLength(1)
    expect(seen[0]?.same).toBe(true)
    expect(seen[0]?.request.data).toEqual(new Uint8Array(300_000).fill(5))
    expect(seen[0]?.request.peer).toEqual({ pid: process.pid, uid: 0, gid: 0 })
    expect(seen[0]?.request.reply(new Uint8Array(1))).toBe(false)
    closeFd(namespace)
  })

  test('keeps no descriptor, whatever became of a request', async () => {
    const namespace = netnsNew()
    const before = openFiles()
    const server = serve({
      maxBytes: 100,
      onRequest: (request) => {
        if (request.data[0] === 1) throw new Error('handler failed')
        if (request.data[0] === 2) request.reply(new Uint8Array(1))
      },
    })
    const call = (first: number, size = 10) =>
      callSeqpacket({ path, data: new Uint8Array(size).fill(first), fds: [namespace, namespace], timeoutMs }).then(
        () => 'reply',
        (error) => error.code,
      )
    expect(await Promise.all([call(0), call(1), call(2), call(2, 101)])).toEqual([
      'LINUX_ECONNRESET',
      'LINUX_ECONNRESET',
      'reply',
      'LINUX_ECONNRESET',
    ])
    server.close()
    expect(server.refusals.toSorted()).toEqual(['failed', 'too-large'])
    // This process may have others that come and go: only what is new counts.
    const left = (): readonly string[] => beyond(before, openFiles())
    for (let i = 0; i < 500 && left().length > 0; i += 1) await Bun.sleep(10)
    expect(left()).toEqual([])
    closeFd(namespace)
  })

  test('ends a connection that sends nothing, sends nothing at all, or is one too many', async () => {
    const server = serve({ deadlineMs: 30, maxSilent: 2 })
    const peers = [connect(), connect(), connect()]
    await server.refused(3)
    expect(server.refusals.toSorted()).toEqual(['crowded', 'silent', 'silent'])
    peers.forEach(closeFd)
    server.close()
    // With a deadline that no machine is too busy for.
    const patient = serve({})
    closeFd(connect())
    await patient.refused(1)
    expect(patient.refusals).toEqual(['gone'])
    patient.close()
  })

  test('is not disturbed by a peer that vanishes before the reply', async () => {
    const served = Promise.withResolvers<boolean>()
    const vanished = Promise.withResolvers<void>()
    const server = serve({
      onRequest: async (request) => {
        await vanished.promise
        served.resolve(request.reply(new Uint8Array(3)))
      },
    })
    const peer = connect()
    systemCalls().send(peer, new Uint8Array(3), 0)
    closeFd(peer)
    vanished.resolve()
    expect(await served.promise).toBe(false)
    server.close()
  })

  test('has its mode from the start, replaces a dead file, refuses a living one, and removes its own', () => {
    const left = openSocket(AF_UNIX, SOCK_SEQPACKET, 0)
    systemCalls().bind(left, encodeSockaddr({ family: 'unix', path }))
    closeFd(left)
    expect(existsSync(path)).toBe(true)
    const server = serve({})
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(() => serve({})).toThrow('address already in use')
    server.close()
    expect(existsSync(path)).toBe(false)
    expect(() => serve({ path: `/tmp/${'x'.repeat(120)}` })).toThrow('107 bytes')
  })

  test('without one, a call says so', async () => {
    const call = callSeqpacket({ path: join(folder, 'none'), data: new Uint8Array(1), timeoutMs })
    expect(await call.catch((error) => error.code)).toBe('LINUX_ENOENT')
  })
})

function serve(options: Partial<SeqpacketOptions>) {
  const refusals: SeqpacketRefusal[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  const listening = listenSeqpacket({
    path,
    mode: 0o600,
    onRequest: () => undefined,
    onRefusal: (refusal) => {
      refusals.push(refusal)
      for (const each of waiting) if (refusals.length >= each.count) each.resolve()
    },
    ...options,
  })
  const server: SeqpacketServer = {
    close: () => {
      const index = running.indexOf(server)
      if (index < 0) return
      running.splice(index, 1)
      listening.close()
    },
  }
  running.push(server)
  const refused = (count: number) =>
    new Promise<void>((resolve) => {
      if (refusals.length >= count) resolve()
      else waiting.push({ count, resolve })
    })
  return { ...server, refusals, refused }
}

function connect(): number {
  const fd = openSocket(AF_UNIX, SOCK_SEQPACKET, 0)
  expect(systemCalls().connect(fd, encodeSockaddr({ family: 'unix', path }))).toBe(0)
  return fd
}

/** What sockets and namespaces are open: other descriptors come and go with the runtime. */
function openFiles(): readonly string[] {
  return readdirSync('/proc/self/fd')
    .map(targetOf)
    .filter((target) => /^(socket|net):/.test(target))
    .toSorted()
}

/** What the second list has more of than the first. */
function beyond(before: readonly string[], after: readonly string[]): readonly string[] {
  const rest = [...before]
  return after.filter((one) => {
    const at = rest.indexOf(one)
    if (at >= 0) rest.splice(at, 1)
    return at < 0
  })
}

function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return ''
  }
}
