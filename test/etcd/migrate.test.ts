/**
 * A cluster of k8s-ovs's is taken to the Kubernetes API: by the command, killed at any moment, on a real etcd and the
 * playground's API server.
 */
import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { weftBindings } from '../../src/compat/bindings.ts'
import { KubeClient } from '../../src/kube/client.ts'
import { loadKubeconfig } from '../../src/kube/kubeconfig.ts'
import { KubeRegistry } from '../../src/kube/registry.ts'
import { cidr, ip } from '../../src/network/model/address.ts'
import { formats } from '../../src/playground/apiserver/all-formats.ts'
import { serveApi } from '../../src/playground/apiserver/serve.ts'
import { installCrds } from '../kube/cluster-objects.ts'
import { ETCDS, EtcdServer, SKIPPED } from './etcd-server.ts'
import { CONFIG } from './k8s-ovs-cluster.ts'

const MAIN = join(import.meta.dir, '../../src/main.ts')
const PREFIX = '/k8s.ovs.com/ovs/network'
const NODES = 12

const [program] = ETCDS
if (program === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  test.each(['v2', 'v3'] as const)(
    'from %s',
    async (api) => {
      const etcd = await EtcdServer.start({ program })
      const dir = mkdtempSync(join(tmpdir(), 'weft-migrate-'))
      const server = await serveApi({ dir, formats, tls: false, serviceNetworks: [cidr('10.96.0.0/12')] })
      const kubeconfig = join(dir, 'kubeconfig')
      server.writeKubeconfig(kubeconfig, 'admin')
      const client = new KubeClient(loadKubeconfig(kubeconfig, {}))
      const flags = ['--etcd-endpoints', etcd.endpoint, '--kubeconfig', kubeconfig]
      const set = (key: string, value: object | string) => {
        const text = typeof value === 'string' ? value : JSON.stringify(value)
        const [version, verb] = api === 'v2' ? ([2, 'set'] as const) : ([3, 'put'] as const)
        return etcd.etcdctl(version, [verb, `${PREFIX}/${key}`, text])
      }
      try {
        await installCrds(client)
        const kube = new KubeRegistry(client, weftBindings)
        await set('config', CONFIG)
        for (let i = 1; i <= NODES; i += 1) {
          const HostIP = `192.0.2.${i}`
          await kube.create('Node', `node${i}`, { name: `node${i}`, uid: 'given', addresses: [ip(HostIP)] })
          const subnet = { Host: `node${i}`, HostIP, Subnet: `172.11.${4 * i}.0/22`, Assign: false }
          await set(`k8ssdn/subnets/${HostIP}`, subnet)
        }
        await set('k8ssdn/subnets/192.0.2.99', {
          Host: 'lb',
          HostIP: '192.0.2.99',
          Subnet: '172.11.0.0/22',
          Assign: false,
        })
        const ids = { default: 0, shop: 300_924, till: 300_924, bank: 12_800_140 }
        for (const [NetName, NetID] of Object.entries(ids)) {
          if (NetName !== 'default') await kube.create('Namespace', NetName, { name: NetName, uid: 'given' })
          await set(`k8ssdn/netnamespaces/${NetName}`, { NetName, NetID, Action: '', Namespace: '' })
        }

        const dry = await weft([...flags, '--dry-run'])
        expect(dry).toEqual(
          expect.objectContaining({
            code: 0,
            out: expect.stringMatching(/NodeNetwork +node7 +172\.11\.28\.0\/22 +to be created/),
          }),
        )
        expect((await kube.list('NodeNetwork')).objects).toEqual([])

        // What is in the way stops it before anything is done.
        await kube.create('Tenant', 'bank', { namespace: 'bank', vni: 77 })
        const refused = await weft(flags)
        expect(refused).toEqual(
          expect.objectContaining({
            code: 1,
            out: expect.stringContaining('it has VNI 77 there, and 12800140 here'),
          }),
        )
        expect((await kube.list('NodeNetwork')).objects).toEqual([])
        await kube.delete('Tenant', 'bank')

        for (const delay of [250, 300, 350, 400, 500]) await killed(flags, delay)
        const done = await weft(flags)
        expect(done).toEqual(expect.objectContaining({ code: 0, out: expect.stringContaining('Both sides agree.') }))
        expect(await weft(flags)).toEqual(
          expect.objectContaining({ code: 0, out: expect.stringContaining('there, and the same') }),
        )

        const networks = new Map((await kube.list('NodeNetwork')).objects.map(({ name, value }) => [name, value]))
        expect(networks.size).toBe(NODES + 1)
        expect(networks.get('node7')).toMatchObject({ machine: { kind: 'node' }, ranges: ['172.11.28.0/22'] })
        expect(networks.get('lb')).toMatchObject({ machine: { kind: 'external', vni: 0 }, addresses: ['192.0.2.99'] })
        const tenants = (await kube.list('Tenant')).objects.map(({ name, value }) => [name, value.vni])
        expect(Object.fromEntries(tenants)).toEqual(ids)
        expect((await kube.get('Cluster', 'default'))?.value).toMatchObject({
          networks: [{ cidr: '172.11.0.0/16', hostBits: 10 }],
        })

        // Nobody gives anything out in etcd any more.
        const late = await weft(['add', 'lb2', '--address', '192.0.2.98', '--vni', '0', ...flags], ['host'])
        expect(late.code).toBe(3)
        expect(late.said).toContain(`was left, by ${PREFIX}/k8ssdn/moved`)
      } finally {
        client.close()
        await server.stop()
        await etcd.stop()
        rmSync(dir, { recursive: true, force: true })
      }
    },
    180_000,
  )
}

function spawn(args: readonly string[], command: readonly string[]) {
  const whole = [process.execPath, MAIN, ...command, ...args]
  return Bun.spawn(whole, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
}

const MIGRATE = ['migrate', 'etcd-to-kubernetes']

async function weft(args: readonly string[], command: readonly string[] = MIGRATE) {
  const child = spawn(args, command)
  const texts = Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  const [[out, said], code] = await Promise.all([texts, child.exited])
  return { out, said, code }
}

/** Wherever it is by then. */
async function killed(args: readonly string[], delay: number): Promise<void> {
  const child = spawn(args, MIGRATE)
  await Bun.sleep(delay)
  child.kill('SIGKILL')
  await child.exited
}
