/**
 * The programs themselves, told by k8s-ovs's flags where their registry is.
 */
import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ip } from '../../src/network/model/address.ts'
import { MemoryRegistry } from '../../src/registry/memory.ts'
import { serveRegistry } from '../../src/registry/server.ts'
import { eventually, start } from '../kube/process.ts'
import { ETCDS, EtcdServer, SKIPPED } from './etcd-server.ts'
import { CONFIG } from './k8s-ovs-cluster.ts'

const MAIN = join(import.meta.dir, '../../src/main.ts')
const PREFIX = '/k8s.ovs.com/ovs/network'
const PASSWORD = 'p:w €'
const PATIENCE = 60_000

const [program] = ETCDS
if (program === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  test.each([
    ['v2', 'certificates'],
    ['v3', 'certificates'],
    ['v2', 'accounts'],
    ['v3', 'accounts'],
  ] as const)(
    'by %s with %s',
    async (api, means) => {
      const server = await EtcdServer.start({ program, tls: means === 'certificates' })
      const folder = mkdtempSync(join(tmpdir(), 'weft-etcd-cli-'))
      const kubernetes = new MemoryRegistry()
      const socket = await serveRegistry(kubernetes, { path: join(folder, 'kubernetes.sock') })
      const flags = [...(await identity(server, folder)), '--registry', `unix:${socket.path}`]
      const log = join(folder, 'controller.log')
      const controller = start([process.execPath, MAIN, 'controller', ...flags, '--run-dir', folder], log)
      try {
        const account = means === 'accounts' ? ['-u', `root:secret`] : []
        const etcdctl = (...args: string[]) =>
          api === 'v2'
            ? server.etcdctl(2, [...account, ...args])
            : server.etcdctl(3, [...(means === 'accounts' ? ['--user', 'root:secret'] : []), ...args])
        const [set, get] = api === 'v2' ? [['set'], ['get']] : [['put'], ['get', '--print-value-only']]
        // As they stand in the documents.
        await etcdctl(...set, `${PREFIX}/config`, CONFIG)
        await kubernetes.create('Node', 'sdn-test1', { name: 'sdn-test1', uid: 'u1', addresses: [ip('192.0.2.1')] })
        for (const name of ['helloworld1', 'helloworld2'])
          await kubernetes.create('Namespace', name, { name, uid: `uid-of-${name}` })
        // A record is made before it gets its range.
        const record = (key: string, expected = {}) =>
          eventually(async () => {
            const found = JSON.parse(await etcdctl(...get, `${PREFIX}/k8ssdn/${key}`))
            expect(found).toMatchObject(expected)
            return found
          }, PATIENCE)
        await record('subnets/192.0.2.1', { Host: 'sdn-test1', Subnet: '172.11.0.0/22' })
        await record('netnamespaces/helloworld1')
        await record('netnamespaces/helloworld2')

        const joined = JSON.parse(
          await weft('tenant', 'join', 'helloworld1', '--to', 'helloworld2', '--json', ...flags),
        )
        expect(joined).toMatchObject({ accepted: true, shared: ['helloworld2'] })
        expect((await record('netnamespaces/helloworld1'))['NetID']).toBe(joined.vni)
        expect(await weft('host', 'add', 'lb', '--address', '192.0.2.99', '--vni', '0', ...flags)).toContain('lb')
        await record('subnets/192.0.2.99', { Host: 'lb', Subnet: '172.11.4.0/22', Assign: false })
        expect(await Bun.file(log).text()).not.toContain(PASSWORD)
      } finally {
        await controller.stop()
        await socket.stop()
        await server.stop()
        rmSync(folder, { recursive: true })
      }
    },
    3 * PATIENCE,
  )

  test('what makes no sense is refused before anything is asked', async () => {
    const refused = async (...args: string[]) =>
      weft('tenant', 'list', ...args).catch((error: unknown) => String(error))
    expect(await refused('--etcd-prefix', '/x')).toContain('says nothing without --etcd-endpoints')
    expect(await refused('--etcd-endpoints', 'http://a:hunter2@127.0.0.1:1')).not.toContain('hunter2')
    expect(await refused('--etcd-endpoints', 'http://127.0.0.1:1', '--etcd-keyfile', '/x')).toContain('come together')
    expect(await refused('--etcd-endpoints', 'http://127.0.0.1:1')).toContain('ECONNREFUSED')
  }, 30_000)
}

/** The flags by which a program reaches an etcd, and the accounts that they are of. */
async function identity(server: EtcdServer, folder: string): Promise<string[]> {
  const endpoints = ['--etcd-endpoints', `http://127.0.0.1:1,${server.endpoint}`]
  const { certificates } = server
  if (certificates !== undefined) {
    const { ca, clientCert, clientKey } = certificates
    endpoints[1] = server.endpoint
    return [...endpoints, '--etcd-cafile', ca, '--etcd-certfile', clientCert, '--etcd-keyfile', clientKey]
  }
  for (const api of [2, 3] as const) {
    const run = (...args: string[]) => server.etcdctl(api, args)
    for (const user of ['root:secret', `weft:${PASSWORD}`]) await run('user', 'add', user)
    await run('role', 'add', 'ovs')
    if (api === 3) await run('role', 'add', 'root')
    await (api === 2
      ? run('role', 'grant', 'ovs', '-path', '/k8s.ovs.com/*', '-readwrite')
      : run('role', 'grant-permission', 'ovs', '--prefix=true', 'readwrite', '/k8s.ovs.com/'))
    await (api === 2 ? run('user', 'grant', 'weft', '-roles', 'ovs') : run('user', 'grant-role', 'weft', 'ovs'))
    if (api === 3) await run('user', 'grant-role', 'root', 'root')
    await run('auth', 'enable')
    if (api === 2) await run('-u', 'root:secret', 'role', 'revoke', 'guest', '-path', '/*', '-readwrite')
  }
  const file = join(folder, 'password')
  writeFileSync(file, `${PASSWORD}\n`, { mode: 0o600 })
  return [...endpoints, '--etcd-username', 'weft', '--etcd-password-file', file, '--network', '']
}

async function weft(...args: string[]): Promise<string> {
  const child = Bun.spawn([process.execPath, MAIN, ...args], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [out, said, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  if (code !== 0) throw new Error(`weft ${args[0]} ${args[1]} ended with ${code}: ${said}`)
  return out
}
