/**
 * A machine outside the cluster, from the package: Open vSwitch, k8s-ovs.service with the old package's variables, and an etcd
 * to ask; no Kubernetes. It is let in by a record and reaches a pod of a node, which is another machine from the same package.
 * `npm run test:package`.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { ADDRESS, addPod, installOn, SETTINGS, startRegistry, startSwitch } from './host.ts'
import { eventually, Machine, whyNoMachine } from './machine.ts'

setDefaultTimeout(120_000)

const OUTSIDE = '192.0.2.40'
const ETCD = `http://${ADDRESS}:2379`
const PREFIX = '/k8s.ovs.com/ovs/network'
const CONFIG = {
  Name: 'k8ssdn',
  Network: '172.11.0.0/16',
  HostSubnetLength: 10,
  ServiceNetwork: '172.30.0.0/16',
  PluginName: 'k8s-ovs-multitenant',
}
const wanted = process.env['WEFT_TEST_PACKAGE'] !== undefined
const lacking = whyNoMachine() ?? (Bun.which('etcd') === null ? 'apt-get install etcd-server etcd-client' : undefined)

describe.skipIf(!wanted || lacking !== undefined)(
  `a host outside the cluster, from the .deb (npm run test:package${lacking === undefined ? '' : `; ${lacking}`})`,
  () => {
    let node: Machine
    let host: Machine

    beforeAll(async () => {
      ;[node, host] = await Promise.all([Machine.boot(), Machine.boot()])
      await node.connect(host)
      await startSwitch(node, ADDRESS)
      await startSwitch(host, OUTSIDE)
      await installOn([node, host])
      const client = ['--listen-client-urls=http://0.0.0.0:2379', `--advertise-client-urls=${ETCD}`]
      await node.output('systemd-run', '--unit=state', 'etcd', '--data-dir=/run/etcd', '--log-level=error', ...client)
      await eventually('etcd answers', async () => (await etcdctl('member', 'list')).code === 0 || undefined)
      await put('config', CONFIG)
    })
    afterAll(async () => {
      await Promise.all([node?.[Symbol.asyncDispose](), host?.[Symbol.asyncDispose]()])
    })

    test('reaches a pod as soon as it is let in, and not before', async () => {
      await startNode()
      const pod = await addPod(node, 'web')
      await configure()
      await host.output('systemctl', 'start', '--no-block', 'k8s-ovs')
      const waits = await eventually('it says what it waits for', async () => {
        const text = await host.property('k8s-ovs', 'StatusText')
        return text === '' ? undefined : text
      })
      expect(waits).toContain('waiting for')
      expect((await ping(pod, '-c', '1', '-W', '1')).code).not.toBe(0)

      await put(`k8ssdn/subnets/${OUTSIDE}`, { Host: 'lb1', HostIP: OUTSIDE, Subnet: '', Assign: true })
      await eventually('it serves', async () => (await state()) === 'active' || undefined)
      const { stdout } = await etcdctl('get', '--print-value-only', `${PREFIX}/k8ssdn/subnets/${OUTSIDE}`)
      expect(JSON.parse(stdout)).toEqual(
        expect.objectContaining({
          Host: 'lb1',
          Assign: false,
          Subnet: expect.stringMatching(/^172\.11\./),
        }),
      )
      await eventually('the pod answers', async () => (await ping(pod, '-c', '1', '-W', '1')).code === 0 || undefined)
      expect((await ping(pod, '-i', '0.2', '-c', '10')).stdout).toContain(' 0% packet loss')
    })

    test('is shut out when its record goes', async () => {
      const pod = (await node.output('ip', '-n', 'web', '-4', '-o', 'address', 'show', 'eth0')).match(
        /inet ([\d.]+)/,
      )?.[1]
      await etcdctl('del', `${PREFIX}/k8ssdn/subnets/${OUTSIDE}`)
      await eventually(
        'nothing answers',
        async () => (await ping(pod ?? '', '-c', '1', '-W', '1')).code !== 0 || undefined,
      )
    })

    /** Node and namespace are said by a registry of its own, where there is no Kubernetes. */
    async function startNode(): Promise<void> {
      writeFileSync(node.path('/etc/weft/weft.yaml'), `${SETTINGS}etcd:\n  endpoints: ${ETCD}\n`)
      await startRegistry(node)
      await node.output('systemctl', 'start', 'weft-controller', 'weft-agent')
    }

    async function configure(): Promise<void> {
      const variables = [`K8S_OVS_ETCD_ENDPOINTS="--etcd-endpoints=${ETCD}"`, 'HOSTNAME="--hostname=lb1"']
      writeFileSync(host.path('/etc/default/k8s-ovs'), variables.join('\n'))
      writeFileSync(host.path('/etc/weft/weft.yaml'), 'agent:\n  datapath: netdev\n')
    }

    const state = (): Promise<string> => host.property('k8s-ovs', 'ActiveState')
    const ping = (address: string, ...options: readonly string[]) => host.run('ping', ...options, address)
    const etcdctl = (...argv: readonly string[]) =>
      node.runWith({ env: { ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: ETCD } }, 'etcdctl', ...argv)
    async function put(key: string, value: object): Promise<void> {
      expect(await etcdctl('put', `${PREFIX}/${key}`, JSON.stringify(value))).toMatchObject({ code: 0 })
    }
  },
)
