/**
 * The seed's flannel, command by command on two machines from the package: variables, `systemctl start flanneld`, the network
 * in etcd's v2 interface, `docker0` by what the unit wrote. Without a `Backend` that is `udp`. `npm run test:package`.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { installOn } from './host.ts'
import { eventually, Machine, whyNoMachine } from './machine.ts'

setDefaultTimeout(120_000)

const MASTER = '192.0.2.11'
const OTHER = '192.0.2.12'
const ENDPOINT = `http://${MASTER}:2379`
const wanted = process.env['WEFT_TEST_PACKAGE'] !== undefined
const lacking = whyNoMachine() ?? (Bun.which('etcd') === null ? 'apt-get install etcd-server etcd-client' : undefined)

describe.skipIf(!wanted || lacking !== undefined)(
  `flanneld.service, from the .deb (npm run test:package${lacking === undefined ? '' : `; ${lacking}`})`,
  () => {
    let master: Machine
    let other: Machine
    const gateways = new Map<Machine, string>()

    beforeAll(async () => {
      ;[master, other] = await Promise.all([Machine.boot(), Machine.boot()])
      await master.connect(other)
      await prepare(master, MASTER)
      await prepare(other, OTHER)
      await installOn([master, other])
      const client = [`--listen-client-urls=${ENDPOINT}`, `--advertise-client-urls=${ENDPOINT}`, '--enable-v2']
      await master.output('systemd-run', '--unit=state', 'etcd', '--data-dir=/run/etcd', '--log-level=error', ...client)
      await eventually('etcd answers', async () => (await etcdctl('ls', '/')).code === 0 || undefined)
    })
    afterAll(async () => {
      await Promise.all([master?.[Symbol.asyncDispose](), other?.[Symbol.asyncDispose]()])
    })

    test('it waits for the network, and counts as started when the machines reach each other', async () => {
      for (const machine of [master, other]) {
        expect(await machine.property('flanneld', 'ActiveState')).toBe('inactive')
        const variables = [`FLANNEL_ETCD_ENDPOINTS="${ENDPOINT}"`, 'FLANNEL_ETCD_PREFIX="/atomic.io/network"']
        writeFileSync(
          machine.path('/etc/default/flanneld'),
          `${variables.join('\n')}\nFLANNEL_OPTIONS="--iface=uplink"\n`,
        )
        await machine.output('systemctl', 'start', '--no-block', 'flanneld')
        await eventually('it says what it waits for', async () => {
          const text = await machine.property('flanneld', 'StatusText')
          return text.includes('waiting for the network configuration') || undefined
        })
        expect(await machine.property('flanneld', 'ActiveState')).toBe('activating')
      }
      expect(await etcdctl('mk', '/atomic.io/network/config', '{"Network": "10.1.0.0/16"}')).toMatchObject({ code: 0 })
      for (const machine of [master, other]) {
        // As typed. It returns when the network works.
        await machine.output('systemctl', 'start', 'flanneld')
        expect(await machine.output('systemctl', 'status', 'flanneld')).toContain('active (running)')
        const [, gateway = ''] =
          /--bip=(10\.1\.\d+\.1\/24)/.exec(await machine.output('cat', '/run/flannel/docker')) ?? []
        expect(await machine.output('cat', '/run/flannel/docker')).toContain(
          `DOCKER_NETWORK_OPTIONS=" --bip=${gateway} --ip-masq=true --mtu=1472 "`,
        )
        await machine.output('ip', 'address', 'add', gateway, 'dev', 'docker0')
        gateways.set(machine, gateway.replace('/24', ''))
      }
      await eventually('they reach each other', async () => (await ping('-c', '1', '-W', '1')).code === 0 || undefined)
    })

    test('packets go on while it is killed, started anew, and ended', async () => {
      const before = await master.property('flanneld', 'MainPID')
      expect(Number(before)).toBeGreaterThan(1)
      const pinging = ping('-i', '0.1', '-c', '60', '-W', '5')
      await master.output('kill', '-9', before)
      await eventually('another one serves', async () => {
        const [state, pid] = [
          await master.property('flanneld', 'ActiveState'),
          await master.property('flanneld', 'MainPID'),
        ]
        return (state === 'active' && pid !== before) || undefined
      })
      await master.output('systemctl', 'restart', 'flanneld')
      await master.output('systemctl', 'stop', 'flanneld')
      expect((await pinging).stdout).toContain('60 received, 0% packet loss')
      expect((await ping('-c', '1', '-W', '5')).code).toBe(0)
    })

    test('with the package goes what it made, and nothing of others', async () => {
      await other.output('nft', 'add', 'table', 'inet', 'somebody')
      await other.output('ip', 'route', 'add', '203.0.113.0/24', 'via', MASTER, 'proto', 'static')
      expect(await other.output('ip', 'route', 'show', '10.1.0.0/16')).toContain('dev flannel0')
      await other.output('dpkg', '-r', 'weft')
      expect(await other.output('ip', 'route')).not.toContain('flannel0')
      expect(await other.output('ip', 'route', 'show', '203.0.113.0/24')).toContain('proto static')
      expect(await other.output('ip', '-br', 'link')).not.toContain('flannel')
      const ruleset = await other.output('nft', 'list', 'ruleset')
      expect(ruleset).not.toMatch(/weft/i)
      expect(ruleset).toContain('table inet somebody')
      expect((await other.run('ls', '/run/flannel')).code).not.toBe(0)
    })

    const etcdctl = (...argv: readonly string[]) =>
      master.runWith({ env: { ETCDCTL_API: '2', ETCDCTL_ENDPOINTS: ENDPOINT } }, 'etcdctl', ...argv)
    /** From one machine's bridge to the other's. */
    const ping = (...options: readonly string[]) =>
      master.run('ping', ...options, '-I', gateways.get(master) ?? '', gateways.get(other) ?? '')
  },
)

async function prepare(machine: Machine, address: string): Promise<void> {
  await machine.output('ip', 'link', 'set', 'lo', 'up')
  await machine.output('ip', 'address', 'add', `${address}/24`, 'dev', 'uplink')
  await machine.output('ip', 'link', 'set', 'uplink', 'up')
  await machine.output('ip', 'link', 'add', 'docker0', 'type', 'bridge')
  await machine.output('ip', 'link', 'set', 'docker0', 'up')
}
