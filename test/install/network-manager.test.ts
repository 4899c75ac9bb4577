/**
 * `weft bridge` on a card that a real NetworkManager configures: it lets go of the card, nothing is lost, and it leaves
 * links of pods alone. Debian's has no plugin for Open vSwitch, so that it makes no bridge itself.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closeFd, netnsOpen } from '../../src/linux/index.ts'
import { type OvsSandbox, startOvsSandbox } from '../../src/ovs/testing/ovs-sandbox.ts'
import { output } from '../lab/command.ts'
import { eventually } from './machine.ts'

const wanted = process.env['WEFT_TEST_PACKAGE'] === '1'
const lacking = Bun.which('NetworkManager', { PATH: '/usr/sbin:/usr/bin' }) === null
const MAIN = join(import.meta.dir, '../../src/main.ts')

describe.skipIf(!wanted || lacking)(
  'a bridge where NetworkManager configures links (npm run test:package; apt-get install network-manager)',
  () => {
    const home = mkdtempSync(join(tmpdir(), 'wefttest-nm-'))
    let machine: ChildProcess
    let init: string
    let ovs: OvsSandbox
    const inside = (...argv: readonly string[]): Promise<string> =>
      output(['nsenter', '-t', init, '-m', '-n', '-p', ...argv])
    const weft = (...args: readonly string[]): Promise<string> =>
      inside(process.execPath, MAIN, 'bridge', ...args, '--ovsdb', ovs.dbSocket)
    const addresses = async (link: string): Promise<readonly string[]> =>
      (await inside('ip', '-br', 'addr', 'show', 'dev', link, 'scope', 'global')).trim().split(/\s+/).slice(2).sort()

    beforeAll(async () => {
      const script = join(import.meta.dir, 'network-manager.sh')
      const argv = ['-m', '-n', '-p', '-f', '--kill-child', '--mount-proc', 'sh', script, home]
      machine = spawn('unshare', argv, { stdio: ['ignore', 'ignore', 'inherit'] })
      await eventually('NetworkManager has configured the card', () => existsSync(join(home, 'ready')) || undefined)
      const { pid } = machine
      init = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
      const netns = netnsOpen(`/proc/${init}/ns/net`)
      ovs = await startOvsSandbox({ netns })
      closeFd(netns)
    }, 60_000)

    afterAll(async () => {
      await ovs?.stop()
      if (machine !== undefined) {
        machine.kill('SIGKILL')
        await new Promise((resolve) => machine.once('exit', resolve))
      }
      rmSync(home, { recursive: true, force: true })
    }, 60_000)

    test('it lets go of the card, and takes it back', async () => {
      const before = await addresses('uplink')
      expect(before).toEqual(['198.51.100.10/24', '2001:db8:2::10/64'])
      const made = await weft('create', 'br1', '--uplink', 'uplink', '--datapath-type', 'netdev')
      expect(made).toContain('br1 has uplink as its uplink')
      expect(made).toContain('nothing makes br1 ready at the next start')
      expect(await inside('nmcli', '-t', 'device')).toContain('uplink:ethernet:unmanaged:')
      // Links of pods are left alone, and what the site had left alone still is.
      await inside('ip', 'link', 'add', 'veth1', 'type', 'veth', 'peer', 'name', 'weft1')
      const devices = await eventually('it has seen the links', async () => {
        const found = await inside('nmcli', '-t', 'device')
        return found.includes('veth1') && found.includes('weft1') ? found : undefined
      })
      for (const link of ['veth1', 'weft1', 'far']) expect(devices).toContain(`${link}:ethernet:unmanaged:`)
      expect([await addresses('br1'), await addresses('uplink')]).toEqual([before, []])
      await weft('remove', 'br1')
      await eventually(
        'it has the card again',
        async () => (await inside('nmcli', '-t', 'device')).includes('uplink:ethernet:connected:uplink') || undefined,
      )
      expect(await addresses('uplink')).toEqual(before)
      expect(await inside('ls', '/etc/NetworkManager/conf.d')).toBe('00-test.conf\n')
    }, 120_000)

    test('a form that it could not carry out is refused', async () => {
      const told = await weft('create', 'br1', '--uplink', 'uplink', '--persist', 'networkmanager').catch(String)
      expect(told).toContain('has no plugin for Open vSwitch')
    }, 60_000)
  },
)
