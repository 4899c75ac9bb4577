/** The way to the database: TLS, servers that die, a cluster that elects another leader. */
import { afterEach, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { type Certificates, makeCertificates } from '../../test/kube/certificates.ts'
import { freePort } from '../../test/kube/process.ts'
import { isOvsdbError } from '../ovs/ovsdb/index.ts'
import { startFaultProxy } from '../ovs/ovsdb/testing/fault-proxy.ts'
import { type Registry, RegistryError } from '../registry/registry.ts'
import { connectNorthbound, type Northbound, type NorthboundOptions } from './connect.ts'
import { isOvnError } from './errors.ts'
import { OvnRegistry } from './registry/registry.ts'
import { ensurePort, listPorts } from './rows/ports.ts'
import { ensureSwitch } from './rows/switches.ts'
import { type Central, type CentralOptions, SKIPPED, startCentral } from './testing/central.ts'

if (SKIPPED !== undefined) console.log(SKIPPED)

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
}, 60_000)

async function start(options: CentralOptions): Promise<Central> {
  const central = await startCentral(options)
  cleanups.push(central.stop)
  return central
}

async function connect(remotes: string, more: Partial<NorthboundOptions> = {}): Promise<Northbound> {
  const nbd = await connectNorthbound({ remotes, cluster: 'blue', backoffMs: { first: 5, max: 100 }, ...more })
  cleanups.push(nbd.close)
  return nbd
}

async function codeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call
    return 'ok'
  } catch (error) {
    if (isOvsdbError(error) || isOvnError(error) || error instanceof RegistryError) return error.code
    return error
  }
}

const put = (registry: Registry, name: string, vni = 11) => registry.create('Tenant', name, { namespace: name, vni })

describe.skipIf(SKIPPED !== undefined)('connecting to the northbound database', () => {
  test('by TCP and by TLS with certificates of both sides; whoever is not trusted is refused, either way', async () => {
    const [ours, others] = [await makeCertificates(await freeFolder()), await makeCertificates(await freeFolder())]
    const [tcp, ssl] = [freePort(), freePort()]
    const argv = [`--private-key=${ours.serverKey}`, `--certificate=${ours.serverCert}`, `--ca-cert=${ours.ca}`]
    await start({ northd: false, listen: [`ptcp:${tcp}:127.0.0.1`, `pssl:${ssl}:127.0.0.1`], argv })
    const plain = await connect(`tcp:127.0.0.1:${tcp}`)
    await ensureSwitch(plain, { name: 'by-tcp' })

    const files = ({ clientKey: key, clientCert: certificate }: Certificates, { ca }: Certificates) => ({
      key,
      certificate,
      ca,
    })
    const remotes = `ssl:127.0.0.1:${ssl}`
    const secure = await connect(remotes, { tls: files(ours, ours) })
    expect(await ensureSwitch(secure, { name: 'by-tcp' })).toEqual(await ensureSwitch(plain, { name: 'by-tcp' }))

    const tried = (tls: NorthboundOptions['tls']) => codeOf(connect(remotes, tls === undefined ? {} : { tls }))
    expect(await tried(files(ours, others))).toBe('OVSDB_UNTRUSTED')
    expect(await tried(undefined)).toBe('OVSDB_BAD_TLS')
    expect(await tried({ ...files(ours, ours), key: '/nonexistent' })).toBe('OVSDB_BAD_TLS')
    expect(await tried({ ...files(ours, ours), key: ours.ca })).toBe('OVSDB_BAD_TLS')
    // TLS 1.3 tells a client after it believes to be connected that the server does not want it.
    const stranger = await tried(files(others, ours))
    expect(['OVSDB_DISCONNECTED', 'OVSDB_UNREACHABLE', 'OVSDB_UNTRUSTED']).toContain(String(stranger))
    expect(await codeOf(connect(`tcp:127.0.0.1:${ssl}`, { probeIntervalMs: 100 }))).toMatch(/^OVSDB_/)
  }, 60_000)

  test.each([
    ['', 'OVSDB_BAD_REMOTE'],
    ['unix:', 'OVSDB_BAD_REMOTE'],
    ['/var/run/ovn/ovnnb_db.sock', 'OVSDB_BAD_REMOTE'],
    ['tcp:127.0.0.1', 'OVSDB_BAD_REMOTE'],
    ['tcp:127.0.0.1:0', 'OVSDB_BAD_REMOTE'],
    ['ssl:[nonsense]:6641', 'OVSDB_BAD_REMOTE'],
    ['tcp:127.0.0.1:1,', 'OVSDB_BAD_REMOTE'],
    ['tcp:127.0.0.1:1,unix:/nonexistent', 'OVSDB_UNREACHABLE'],
    ['tcp:[::1]:1', 'OVSDB_UNREACHABLE'],
  ])('a place like %p is refused with its code', async (remotes, code) => {
    expect(await codeOf(connect(remotes))).toBe(code)
  })

  test('a cluster’s name that could not be told apart from others is refused', async () => {
    for (const cluster of ['', 'Blue', 'a.b', '-a', 'x'.repeat(64)]) {
      expect(await codeOf(connect('unix:/nonexistent', { cluster }))).toBe('OVN_BAD_REQUEST')
    }
  })

  test('a server without the database is named as such', async () => {
    const central = await start({})
    expect(await codeOf(connect(`unix:${join(central.folder, 'sb.sock')}`))).toBe('OVSDB_NO_DATABASE')
  }, 60_000)

  test('what is asked while the server is dead is done once it is back, and watchers miss nothing', async () => {
    const central = await start({ northd: false })
    const [server] = central.servers
    const nbd = await connect(central.remotes)
    const registry = await OvnRegistry.open(nbd)
    await put(registry, 'a')
    const { revision } = await registry.list('Tenant')
    const seen: string[] = []
    const watching = (async () => {
      for await (const change of registry.watch('Tenant', revision, AbortSignal.timeout(50_000))) {
        if (change.type === 'bookmark') continue
        seen.push(`${change.type} ${change.object.name}`)
        if (change.object.name === 'last') return
      }
    })()
    await server?.kill()
    const waiting = Promise.all([ensureSwitch(nbd, { name: 'ls' }), put(registry, 'b')])
    await Bun.sleep(50)
    await server?.start()
    await waiting
    // Another process deletes and writes while this one is cut off.
    const other = await OvnRegistry.open(await connect(central.remotes))
    await other.delete('Tenant', 'a')
    await put(other, 'last')
    await watching
    expect(seen).toEqual(['put b', 'delete a', 'put last'])
  }, 60_000)

  test('changes made while this process was cut off are told after it, deletions among them', async () => {
    const central = await start({ northd: false })
    const proxy = await startFaultProxy(join(central.folder, 'proxy.sock'), central.servers[0]?.socket ?? '')
    cleanups.push(proxy.close)
    const registry = await OvnRegistry.open(await connect(`unix:${proxy.path}`))
    const other = await OvnRegistry.open(await connect(central.remotes))
    for (const name of ['a', 'b', 'c']) await put(registry, name)
    const { revision } = await registry.list('Tenant')
    const seen: string[] = []
    const revisions: number[] = []
    const watching = (async () => {
      for await (const change of registry.watch('Tenant', revision, AbortSignal.timeout(50_000))) {
        if (change.type === 'bookmark') continue
        seen.push(`${change.type} ${change.object.name}`)
        revisions.push(change.object.revision)
        if (change.object.name === 'last') return
      }
    })()
    proxy.setFault({ kind: 'cut', afterBytes: 0 })
    proxy.cutAll()
    await other.delete('Tenant', 'b')
    await other.delete('Tenant', 'a')
    await put(other, 'a', 12)
    await put(other, 'gone')
    await other.delete('Tenant', 'gone')
    await other.delete('Tenant', 'c')
    await put(other, 'last')
    proxy.setFault({ kind: 'none' })
    await watching
    expect(seen.toSorted()).toEqual(['delete b', 'delete c', 'put a', 'put last'])
    expect(seen.at(-1)).toBe('put last')
    expect(revisions).toEqual(revisions.toSorted((x, y) => x - y))
  }, 60_000)

  test('of three servers the leader is used; when it dies the next one is, and nothing is lost or doubled', async () => {
    // Without ovn-northd, which takes its time to find the next leader.
    const central = await start({ servers: 3, northd: false })
    const nbd = await connect(central.remotes)
    await ensureSwitch(nbd, { name: 'ls' })
    await ensurePort(nbd, { switch: 'ls', name: 'vm', addresses: ['unknown'] })
    const registry = await OvnRegistry.open(nbd)
    const names = Array.from({ length: 20 }, (_, at) => `p${at}`)
    const make = async (name: string): Promise<void> => {
      await ensurePort(nbd, { switch: 'ls', name, addresses: ['unknown'], nested: { parent: 'vm', tag: 'any' } })
      await put(registry, name)
    }
    for (const name of names.slice(0, 5)) await make(name)
    const leaders = await Promise.all(central.servers.map((server) => server.isLeader()))
    expect(leaders.filter(Boolean)).toHaveLength(1)
    const killed = central.servers[leaders.indexOf(true)]
    const making = Promise.all(names.slice(5).map(make))
    await killed?.kill()
    await making
    expect((await listPorts(nbd)).map(({ name }) => name).toSorted()).toEqual(['vm', ...names].toSorted())
    expect((await registry.list('Tenant')).objects.map(({ name }) => name).toSorted()).toEqual(names.toSorted())
    await killed?.start()
    // A follower is no place to write through.
    expect(await codeOf(connect(killed?.remote ?? ''))).toBe('OVSDB_NOT_LEADER')
  }, 60_000)
})

async function freeFolder(): Promise<string> {
  const { mkdtemp, rm } = await import('node:fs/promises')
  const { tmpdir } = await import('node:os')
  const folder = await mkdtemp(join(tmpdir(), 'weft-ovn-tls-'))
  cleanups.push(() => rm(folder, { recursive: true, force: true }))
  return folder
}
