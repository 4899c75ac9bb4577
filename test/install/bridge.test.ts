/**
 * `weft bridge` on a machine whose card systemd-networkd configures: it is found out, told, and gives the bridge its
 * addresses at the next start.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { eventually, Machine, whyNoMachine } from './machine.ts'

const wanted = process.env['WEFT_TEST_PACKAGE'] === '1'
const lacking = whyNoMachine() ?? (Bun.which('networkctl') === null ? 'apt-get install systemd' : undefined)
const MAIN = join(import.meta.dir, '../../src/main.ts')
const NETWORK = `[Match]
Name=uplink

[Network]
Address=192.0.2.10/24
Gateway=192.0.2.1
Address=2001:db8:2::10/64
Gateway=2001:db8:2::1
DNS=192.0.2.53
Domains=example.com
`

describe.skipIf(!wanted || lacking !== undefined)(
  `a bridge where systemd-networkd configures links (npm run test:package${lacking === undefined ? '' : `; ${lacking}`})`,
  () => {
    let node: Machine
    let router: Machine
    const weft = (...args: readonly string[]): Promise<string> => node.output(process.execPath, MAIN, 'bridge', ...args)
    const addresses = async (link: string): Promise<readonly string[]> => {
      const line = await node.output('ip', '-br', 'addr', 'show', 'dev', link, 'scope', 'global')
      // Behind its name and state.
      return line.trim().split(/\s+/).slice(2).sort()
    }
    const routes = (): Promise<string> => node.output('sh', '-c', 'ip -4 route; ip -6 route | grep default')

    beforeAll(async () => {
      node = await Machine.boot()
      router = await Machine.boot()
      await node.connect(router)
      const lines = [
        'link set uplink up',
        'addr add 192.0.2.1/24 dev uplink',
        'addr add 2001:db8:2::1/64 dev uplink nodad',
      ]
      for (const line of lines) await router.output('ip', ...line.split(' '))
      await Bun.write(node.path('/etc/systemd/network/50-uplink.network'), NETWORK)
      // There is no udev in it: networkd waits for it unless /sys is read-only, as in containers.
      await node.output('mount', '-o', 'remount,bind,ro', '/sys')
      await node.output('systemctl', 'unmask', 'systemd-networkd.service')
      await node.output('systemctl', 'daemon-reload')
      await node.output('systemctl', 'start', 'systemd-networkd', 'openvswitch-switch')
      await eventually('the card is configured', async () =>
        (await node.output('networkctl', 'list', '--no-pager')).match(/uplink .*configured/),
      )
    }, 60_000)

    afterAll(async () => {
      await node?.[Symbol.asyncDispose]()
      await router?.[Symbol.asyncDispose]()
    }, 60_000)

    test('its files are found out, written, read by it, and taken away', async () => {
      const [before, ways] = [await addresses('uplink'), await routes()]
      const made = await weft('create', 'br1', '--uplink', 'uplink', '--datapath-type', 'netdev')
      expect(made).toContain(
        'br1 has uplink as its uplink; 192.0.2.1 and 2001:db8:2::1 answer; networkd makes it again',
      )
      const status = await node.output('networkctl', 'status', '--no-pager', 'br1', 'uplink')
      expect(status).toMatch(/05-weft-br1-uplink\.network\n +State: carrier \(configured\)/)
      expect(status).toMatch(/05-weft-br1\.network\n +State: routable \(configured\)/)
      expect(status).toMatch(/DNS: 192\.0\.2\.53/)
      expect(await addresses('uplink')).toEqual([])
      expect(await addresses('br1')).toEqual(before)
      // What a start does: the switch makes the bridge from its database, networkd gives it addresses.
      await node.output('systemctl', 'stop', 'systemd-networkd.socket', 'systemd-networkd')
      for (const link of ['br1', 'uplink']) await node.output('ip', 'addr', 'flush', 'dev', link)
      await node.output('systemctl', 'restart', 'openvswitch-switch')
      await node.output('systemctl', 'start', 'systemd-networkd')
      const [view] = await eventually('the gateways answer on the bridge', async () => {
        const views = JSON.parse(await weft('status', 'br1', '--json'))
        const { gateways } = views[0]
        return gateways.length === 2 && gateways.every((one: { answers: boolean }) => one.answers) ? views : undefined
      })
      expect(view).toMatchObject({ persist: ['networkd'], maker: 'weft', uplinks: ['uplink'] })
      expect(await addresses('uplink')).toEqual([])
      expect(await weft('remove', 'br1')).toContain('uplink has its addresses back')
      await eventually('networkd has read its files again', async () =>
        (await node.output('networkctl', 'status', '--no-pager', 'uplink')).match(
          /50-uplink\.network\n +State: routable/,
        ),
      )
      expect(await addresses('uplink')).toEqual(before)
      expect(await routes()).toBe(ways)
      expect(await node.output('ls', '/etc/systemd/network')).toBe('50-uplink.network\n')
    }, 120_000)
  },
)
