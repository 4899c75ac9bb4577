import { afterEach, describe, expect, test } from 'bun:test'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lockFile } from '../linux/lock.ts'
import { RegistryClient } from './client.ts'
import { node, settled } from './conformance-tools.ts'
import { Journal } from './journal.ts'
import { type StandaloneOptions, type StateFile, startStandaloneRegistry } from './standalone.ts'

const undo: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'weft-registry-'))
  undo.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** State in a file, as the program keeps it. */
function keptIn(path: string): StateFile {
  return { path, lock: lockFile }
}

async function start(options: Omit<StandaloneOptions, 'now'>): Promise<{ stop: () => Promise<void> }> {
  const server = await startStandaloneRegistry({ ...options, now: 1000 })
  undo.push(() => server.stop().catch(() => undefined))
  return server
}

/** A registry in a process of its own. */
async function spawn(path: string, state: string): Promise<ReturnType<typeof Bun.spawn>> {
  const script = `
    const { lockFile } = await import(${JSON.stringify(join(import.meta.dir, '../linux/lock.ts'))})
    const { startStandaloneRegistry } = await import(${JSON.stringify(join(import.meta.dir, 'standalone.ts'))})
    await startStandaloneRegistry({ path: ${JSON.stringify(path)}, state: { path: ${JSON.stringify(state)}, lock: lockFile }, now: 1000 })
    console.log('up')`
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' })
  undo.push(async () => {
    child.kill('SIGKILL')
    await child.exited
  })
  const { value } = await child.stdout.getReader().read()
  expect(new TextDecoder().decode(value)).toContain('up')
  return child
}

describe('the stand-alone registry', () => {
  test('has a socket for its owner alone, replaces a dead one and refuses to displace a living one', async () => {
    const path = join(folder(), 'r.sock')
    const child = await spawn(path, `${path}.state`)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await settled(startStandaloneRegistry({ path, now: 0 }))).toBe('REGISTRY_UNAVAILABLE')
    child.kill('SIGKILL')
    await child.exited
    const server = await start({ path })
    expect((await new RegistryClient(path).list('Node')).objects).toEqual([])
    await server.stop()
    expect(() => statSync(path)).toThrow()
  })

  test('refuses a path that is a file, or too long', async () => {
    const path = join(folder(), 'r.sock')
    writeFileSync(path, 'precious')
    expect(await settled(startStandaloneRegistry({ path, now: 0 }))).toBe('REGISTRY_UNAVAILABLE')
    expect(readFileSync(path, 'utf8')).toBe('precious')
    expect(await settled(startStandaloneRegistry({ path: `/tmp/${'x'.repeat(200)}`, now: 0 }))).toBe(
      'REGISTRY_UNAVAILABLE',
    )
  })

  test('keeps every acknowledged write over kill -9, and revisions go on', async () => {
    const path = join(folder(), 'r.sock')
    const state = `${path}.state`
    const client = new RegistryClient(path)
    let last = 0
    for (let life = 0; life < 3; life += 1) {
      const child = await spawn(path, state)
      for (let i = 0; i < 10; i += 1) {
        const stored = await client.create('Node', `n${life}-${i}`, node(`n${life}-${i}`))
        expect(stored.revision).toBeGreaterThan(last)
        last = stored.revision
      }
      await client.delete('Node', `n${life}-0`)
      child.kill('SIGKILL')
      await child.exited
    }
    await start({ path, state: keptIn(state) })
    expect((await client.list('Node')).objects).toHaveLength(27)
    expect(statSync(state).mode & 0o777).toBe(0o600)
  })

  test('two that start together do not both open the state file, whatever their sockets', async () => {
    const dir = folder()
    const state = join(dir, 'state')
    const start = (name: string) =>
      startStandaloneRegistry({ path: join(dir, name), state: keptIn(state), now: 1000 }).then(
        (server) => server,
        (error: { readonly code: string }) => error.code,
      )
    const [first, second] = await Promise.all([start('a.sock'), start('b.sock')])
    expect([typeof first, second]).toEqual(['object', 'REGISTRY_UNAVAILABLE'])
    if (typeof first === 'object') await first.stop()
    // It is given back with the registry.
    const third = await start('b.sock')
    expect(typeof third).toBe('object')
    if (typeof third === 'object') await third.stop()
  })

  test('drops half a line at the end, and refuses a file that is damaged elsewhere', async () => {
    const path = join(folder(), 'r.sock')
    const state = `${path}.state`
    const first = await start({ path, state: keptIn(state) })
    await new RegistryClient(path).create('Node', 'a', node('a'))
    await first.stop()
    appendFileSync(state, '{"kind":"Node","type":"pu')
    const second = await start({ path, state: keptIn(state) })
    await new RegistryClient(path).create('Node', 'b', node('b'))
    expect((await new RegistryClient(path).list('Node')).objects.map(({ name }) => name)).toEqual(['a', 'b'])
    await second.stop()
    const damaged = readFileSync(state, 'utf8').replace('"put"', '"pot"')
    writeFileSync(state, damaged)
    expect(await settled(startStandaloneRegistry({ path, state: keptIn(state), now: 0 }))).toBe('REGISTRY_INVALID')
    expect(readFileSync(state, 'utf8')).toBe(damaged)
  })

  test('writes its file anew before it grows without end', async () => {
    const path = join(folder(), 'r.sock')
    const state = `${path}.state`
    const journal = new Journal(state, 0)
    journal.append({ kind: 'Node', type: 'put', object: { name: 'kept', revision: 1, value: node('kept') } })
    journal.append({ kind: 'Node', type: 'put', object: { name: 'gone', revision: 2, value: node('gone') } })
    journal.append({ kind: 'Node', type: 'delete', object: { name: 'gone', revision: 3, value: node('gone') } })
    for (let revision = 4; revision <= 4200; revision += 1) {
      journal.append({ kind: 'Node', type: 'put', object: { name: 'a', revision, value: node('a') } })
    }
    journal.close()
    expect(readFileSync(state, 'utf8').split('\n').length).toBeLessThan(200)
    const { initial } = new Journal(state, 0)
    expect([initial.revision, [...initial.entries.keys()].toSorted()]).toEqual([4200, ['Node/a', 'Node/kept']])
  })

  test('without a file, tells watchers of an earlier life to list again', async () => {
    const path = join(folder(), 'r.sock')
    const first = await startStandaloneRegistry({ path, now: 1000 })
    const client = new RegistryClient(path)
    const { revision } = await client.create('Node', 'a', node('a'))
    await first.stop()
    const second = await startStandaloneRegistry({ path, now: 2000 })
    undo.push(() => second.stop())
    await client.create('Node', 'b', node('b'))
    const watch = client.watch('Node', revision, new AbortController().signal)
    await watch.next()
    expect(await settled(watch.next())).toBe('REGISTRY_EXPIRED')
  })

  test('a client that finds nobody says so, and a silent server does not hold it', async () => {
    const path = join(folder(), 'r.sock')
    expect(await settled(new RegistryClient(path).list('Node'))).toBe('REGISTRY_UNAVAILABLE')
    const silent = Bun.listen({ unix: path, socket: { data: () => undefined } })
    undo.push(() => silent.stop(true))
    const client = new RegistryClient(path, { deadline: 50, silence: 50 })
    expect(await settled(client.list('Node'))).toBe('REGISTRY_UNAVAILABLE')
    expect(await settled(client.watch('Node', 0, new AbortController().signal).next())).toBe('REGISTRY_UNAVAILABLE')
  })

  test('a watch without bookmarks fails, one with them does not', async () => {
    const path = join(folder(), 'r.sock')
    await start({ path, bookmarkInterval: 5 })
    const lively = new RegistryClient(path, { silence: 1000 }).watch('Node', 1_000_000, new AbortController().signal)
    for (let i = 0; i < 5; i += 1)
      expect((await lively.next()).value).toEqual({ type: 'bookmark', revision: 1_000_000 })
    await lively.return()
  })

  test('garbage on the wire harms nobody', async () => {
    const path = join(folder(), 'r.sock')
    await start({ path })
    const garbage = [
      '\x00\xff\x16\x03\x01',
      'GET',
      'GET / HTTP/9.9\r\n\r\n',
      `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
    ]
    for (const bytes of garbage) await send(path, bytes)
    const requests: readonly (readonly [string, string, string?])[] = [
      ['GET', '/'],
      ['GET', '/v1/__proto__'],
      ['GET', '/v1/constructor/x'],
      ['GET', '/v1/Node?watch=-1'],
      ['GET', '/v1/Node?watch=1e9'],
      ['GET', '/v1/Node/%zz'],
      ['GET', `/v1/Node/${'x'.repeat(2000)}`],
      ['PUT', '/v1/Node/a', '{}'],
      ['PUT', '/v1/Node/a?revision=x', '{}'],
      ['POST', '/v1/Node/a', '{'],
      ['POST', '/v1/Node/a', '['.repeat(500_000)],
      ['POST', '/v1/Node/a', '{"__proto__":{"name":"a"},"name":"a","uid":"u","addresses":[]}'],
      ['POST', '/v1/Node', '{}'],
      ['PATCH', '/v1/Node/a', '{}'],
    ]
    for (const [method, url, body] of requests) {
      const response = await fetch(`http://r${url}`, { unix: path, method, ...(body === undefined ? {} : { body }) })
      expect([method, url, response.status]).toEqual([method, url, 400])
      expect(await response.json()).toMatchObject({ code: 'REGISTRY_INVALID' })
    }
    const huge = await fetch('http://r/v1/Node/a', { unix: path, method: 'POST', body: 'x'.repeat(3 << 20) })
    expect(huge.status).toBe(413)
    expect((await new RegistryClient(path).list('Node')).objects).toEqual([])
  })
})

/** Sends bytes and waits until the other side has had enough, or leaves. */
function send(path: string, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(path, () => socket.end(Buffer.from(bytes, 'latin1')))
    socket.on('data', () => undefined)
    socket.on('error', () => resolve())
    socket.on('close', () => resolve())
  })
}
