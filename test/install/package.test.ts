/**
 * The packages as administrators meet them: installed with dpkg on a machine with systemd of its own, configured, run,
 * upgraded, removed, purged. Half a minute: `npm run test:package`.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Outcome, output, run } from '../lab/command.ts'
import { ADDRESS, addPod, CLUSTER, callPlugin, ourFiles, SETTINGS, startRegistry, startSwitch } from './host.ts'
import { eventually, Machine, whyNoMachine } from './machine.ts'

setDefaultTimeout(120_000)

const ROOT = join(import.meta.dir, '../..')
const DEB = '/root/weft.deb'
const UNITS = [
  'weft-agent.service',
  'weft-controller.service',
  'k8s-ovs.service',
  'flanneld.service',
  'weft-mesh.service',
]
const wanted = process.env['WEFT_TEST_PACKAGE'] !== undefined
const lacking = whyNoMachine()

let folder: string
let deb: string
let rpm: string

beforeAll(async () => {
  if (!wanted) return
  folder = mkdtempSync(join(tmpdir(), 'wefttest-package-'))
  await output(['node', join(ROOT, 'scripts/package.mjs'), '--output', folder])
  const find = (ending: string): string => join(folder, readdirSync(folder).find((name) => name.endsWith(ending)) ?? '')
  ;[deb, rpm] = [find('.deb'), find('.rpm')]
})
afterAll(() => wanted && rmSync(folder, { recursive: true, force: true }))

describe.skipIf(!wanted || lacking !== undefined)(
  `a .deb (npm run test:package${lacking ? `; ${lacking}` : ''})`,
  () => {
    let machine: Machine
    let db = ''
    const foreign: ReadonlySet<string> = new Set()
    beforeAll(async () => {
      machine = await Machine.boot()
      await machine.output('ip', 'link', 'add', 'uplink', 'type', 'veth', 'peer', 'wire')
      await startSwitch(machine, ADDRESS)
      copyFileSync(deb, machine.path(DEB))
    })
    afterAll(() => machine?.[Symbol.asyncDispose]())

    test('is installed and starts nothing', async () => {
      expect(await left()).toEqual([])
      await machine.output('dpkg', '-i', DEB)
      expect(await machine.output('weft', '--version')).toMatch(/^\d+\.\d+\.\d+\n$/)
      const { stderr } = await machine.run('/usr/sbin/k8s-ovs', '--version')
      expect(stderr).toMatch(/^\d+\.\d+\.\d+\n$/)
      for (const unit of UNITS) {
        expect(await machine.property(unit, 'ActiveState')).toBe('inactive')
        expect(await machine.property(unit, 'UnitFileState')).toBe('disabled')
      }
      expect(await machine.output('dpkg', '-V', 'weft')).toBe('')
    })

    test('runs as services when it is configured: ready when systemd says so, pods attached from within the sandbox', async () => {
      writeFileSync(machine.path('/etc/weft/weft.yaml'), SETTINGS)
      const registry = await startRegistry(machine)
      await registry.create('Cluster', 'default', CLUSTER)
      // Returns when the agent has said that it serves.
      await machine.output('systemctl', 'enable', '--now', 'weft-controller', 'weft-agent')
      expect(await machine.property('weft-agent', 'StatusText')).toBe('attaching pods')
      expect(await machine.run('weft', 'health', 'agent')).toMatchObject({ code: 0 })
      expect(await addPod(machine, 'web')).toMatch(/^10\.128\./)
      db = await addPod(machine, 'db')
      expect(await ping('-c', '1', '-W', '5')).toContain(' 0% packet loss')
    })

    test('an agent that is killed comes back, in the same folder, and pods are not interrupted', async () => {
      const before = await mainPid()
      const pinging = ping('-i', '0.2', '-c', '20')
      await machine.output('kill', '-9', before)
      await eventually('another agent serves', () => isAnother(before))
      expect(await pinging).toContain(' 0% packet loss')
      await callPlugin(machine, 'DEL', 'web')
      const link = async (): Promise<Outcome> => machine.run('ip', '-n', 'web', 'link', 'show', 'eth0')
      await eventually('its link is gone', async () => (await link()).code !== 0 || undefined)
    })

    test('an upgrade restarts what ran, and keeps the configuration', async () => {
      const before = await mainPid()
      await machine.output('dpkg', '-i', '--force-confdef', DEB)
      await eventually('the new agent serves', () => isAnother(before))
      expect(await machine.output('cat', '/etc/weft/weft.yaml')).toBe(SETTINGS)
      expect(await machine.property('k8s-ovs', 'ActiveState')).toBe('inactive')
    })

    test('an agent that stands still is started anew', async () => {
      const dropIn = machine.path('/run/systemd/system/weft-agent.service.d')
      mkdirSync(dropIn, { recursive: true })
      writeFileSync(join(dropIn, 'impatient.conf'), '[Service]\nWatchdogSec=4\nTimeoutStopSec=1\n')
      await machine.output('systemctl', 'daemon-reload')
      await machine.output('systemctl', 'restart', 'weft-agent')
      const before = await mainPid()
      await machine.output('kill', '-STOP', before)
      await eventually('another agent serves', () => isAnother(before))
      expect(await machine.property('weft-agent', 'NRestarts')).toBe('1')
    })

    test('each variable of k8s-ovs.service holds as many flags as it says', async () => {
      const tls = '--etcd-cafile=/etc/etcd/ca.pem --etcd-certfile=/etc/etcd/c.pem --etcd-keyfile=/etc/etcd/c.key'
      const variables = [
        'K8S_OVS_ETCD_ENDPOINTS=--etcd-endpoints=https://192.0.2.1:2379',
        `K8S_OVS_ETCD_CA_CERT_KEY="${tls}"`,
      ]
      const path = machine.path('/etc/default/k8s-ovs')
      const shipped = readFileSync(path)
      writeFileSync(path, variables.join('\n'))
      await machine.output('systemctl', 'start', '--no-block', 'k8s-ovs')
      const log = await eventually('it says that there is no such certificate', async () => {
        const { stdout } = await machine.run('journalctl', '-u', 'k8s-ovs', '-o', 'cat')
        return stdout.includes('cannot be read') ? stdout : undefined
      })
      expect(log).toContain('/etc/etcd/c.pem cannot be read')
      await machine.output('systemctl', 'stop', 'k8s-ovs')
      writeFileSync(path, shipped)
    })

    test('removal leaves the configuration, a purge nothing', async () => {
      await machine.output('dpkg', '-r', 'weft')
      expect(await machine.output('ovs-vsctl', 'list-br')).toBe('br-phy\n')
      expect(await machine.output('nft', 'list', 'tables')).not.toContain('weft')
      const kept = [
        '/etc/default/flanneld',
        '/etc/default/k8s-ovs',
        '/etc/default/weft',
        '/etc/weft',
        '/etc/weft/weft.yaml',
      ]
      expect(await left()).toEqual(kept)
      await machine.output('dpkg', '-P', 'weft')
      expect(await left()).toEqual([])
    })

    const ping = (...options: readonly string[]): Promise<string> =>
      machine.output('ip', 'netns', 'exec', 'web', 'ping', ...options, db)
    const left = async (): Promise<readonly string[]> => [...(await ourFiles(machine)).difference(foreign)].sort()
    const pidNow = (): Promise<string> => machine.property('weft-agent', 'MainPID')
    const mainPid = async (): Promise<string> => {
      const pid = await pidNow()
      // To end process 0 would be to end this test.
      if (pid === '0') throw new Error('the agent does not run')
      return pid
    }
    const isAnother = async (before: string): Promise<true | undefined> => {
      const [state, pid] = [await machine.property('weft-agent', 'ActiveState'), await pidNow()]
      return (state === 'active' && pid !== before && pid !== '0') || undefined
    }
  },
)

describe.skipIf(!wanted || Bun.which('rpm') === null)('an .rpm (npm run test:package; apt-get install rpm)', () => {
  test('is whole and says what it is', async () => {
    expect(await output(['rpm', '-K', rpm])).toContain('digests OK')
    const requires = await output(['rpm', '-qpR', rpm])
    expect(requires).toContain('openvswitch')
    expect(await output(['rpm', '-qpc', rpm])).toBe(
      '/etc/sysconfig/flanneld\n/etc/sysconfig/k8s-ovs\n/etc/sysconfig/weft\n/etc/weft/weft.yaml\n',
    )
    const scripts = await output(['rpm', '-qp', '--scripts', rpm])
    expect(scripts).not.toMatch(/@[A-Z]+@/)
  })

  test('holds what the .deb holds, and it runs', async () => {
    const root = join(folder, 'root')
    await output(['sh', '-c', `mkdir ${root} && rpm2archive - < ${rpm} | tar xz -C ${root}`])
    expect(await output([join(root, 'usr/bin/weft'), '--version'])).toMatch(/^\d/)
    expect((await run([join(root, 'usr/sbin/k8s-ovs'), '--version'])).code).toBe(0)
    const filesOf = async (list: readonly string[]): Promise<readonly string[]> =>
      (await output(list))
        .split('\n')
        .map((line) => line.replace(/^\.?\//, '').replace('etc/sysconfig', 'etc/default'))
        .filter((line) => line !== '' && !line.endsWith('/'))
        .sort()
    const inDeb = await filesOf(['sh', '-c', `dpkg-deb --fsys-tarfile ${deb} | tar t`])
    const inRpm = (await filesOf(['rpm', '-qpl', rpm])).filter((path) => !FOLDERS.has(path))
    expect(inRpm).toEqual([...inDeb])
  })

  const FOLDERS: ReadonlySet<string> = new Set([
    'etc/weft',
    'usr/lib/weft',
    'usr/lib/weft/cni',
    'usr/libexec/flannel',
    'usr/share/weft',
    'usr/share/doc/weft',
    'usr/share/doc/weft/adr',
  ])
})
