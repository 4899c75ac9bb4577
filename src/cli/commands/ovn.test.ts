/** `weft ovn` as a process, against a real northbound database. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { parseCache } from '../../compat/ovn-underlay/cache.ts'
import { type Central, SKIPPED, startCentral } from '../../ovn/testing/central.ts'
import { run, type ToolResult } from '../../ovs/testing/daemon.ts'
import { startNodeLab } from '../../underlay/testing/node-lab.ts'

const MAIN = join(import.meta.dir, '../../main.ts')

const ENV = { PATH: process.env['PATH'] ?? '' }

if (SKIPPED !== undefined) console.log(SKIPPED)

describe.skipIf(SKIPPED !== undefined)('weft ovn', () => {
  let central: Central

  beforeAll(async () => {
    central = await startCentral()
    await central.nbctl('ls-add', 'machines', '--', 'lsp-add', 'machines', 'vm1', '--', 'lr-add', 'k8-router')
  }, 60_000)

  afterAll(async () => {
    await central?.stop()
  })

  const weft = (...words: readonly string[]): Promise<ToolResult> =>
    run([process.execPath, MAIN, 'ovn', ...words], { ...ENV, OVN_NB_DB: central.remotes })

  const prepare = ['prepare', 'ls-worker1', '192.168.1.0/29', '--parent', 'vm1', '--router', 'k8-router']

  test('prepares a node’s switch and ports, twice the same, and takes them away again', async () => {
    const before = await central.nbctl('show')
    const first = await weft(...prepare, '--ovn-cluster', 'blue')
    expect(first.stderr).toBe('')
    const ports = parseCache(first.stdout)
    expect<string[]>(ports.map(({ address }) => address).toSorted()).toEqual(
      [2, 3, 4, 5, 6].map((n) => `192.168.1.${n}`),
    )
    expect(ports.map(({ vlan }) => vlan).toSorted()).toEqual([1, 2, 3, 4, 5])
    expect(ports[0]).toEqual(expect.objectContaining({ prefixLength: 29, gateway: '192.168.1.1' }))
    expect((await weft(...prepare, '--ovn-cluster', 'blue')).stdout).toBe(first.stdout)
    expect(await central.nbctl('lrp-list', 'k8-router')).toContain('k8-router-to-ls-worker1')
    const status = await weft('status', '--ovn-cluster', 'blue')
    expect(status.stdout).toMatch(/^ovn-northd {2}(was not asked for an answer yet|answered request (\d+) of \2)$/m)
    expect(status.stdout).toMatch(/^chassis {5}(was not asked for an answer yet|answered request \d+ of \d+)$/m)
    expect(status.stdout).toContain('rows of blue: 8\n  join: 2\n  port: 5\n  switch: 1\n')
    expect(status.code).toBe(0)
    // Another cluster cannot take it away.
    expect(await weft('release', 'ls-worker1', '--ovn-cluster', 'red')).toEqual(
      expect.objectContaining({ code: 1, stderr: expect.stringContaining('is not of this cluster') }),
    )
    expect((await weft('release', 'ls-worker1', '--ovn-cluster', 'blue')).stdout).toBe('ls-worker1 is gone.\n')
    expect(await central.nbctl('show')).toBe(before)
  }, 120_000)

  test('what prepare prints is all that the plugin ovn-underlay needs: a node without lswitch-setup', async () => {
    await using node = await startNodeLab()
    await node.ovs.vsctl('remove', 'open_vswitch', '.', 'external_ids', 'weft-underlay')
    const printed = (await weft('prepare', 'ls-cni', '192.168.7.0/29', '--parent', 'vm1', '--ovn-cluster', 'cni'))
      .stdout
    await node.ovs.vsctl('set', 'Open_vSwitch', '.', `external_ids:lport-cache=${printed.trim()}`)
    const [first] = parseCache(printed)
    const netns = node.pod('one')
    expect(await node.cni('STATUS', {})).toEqual({ code: 0, answer: undefined })
    const { code, answer } = await node.cni('ADD', { container: 'one', netns, config: { mtu: 1400 } })
    expect([code, answer]).toEqual([
      0,
      expect.objectContaining({
        interfaces: [expect.anything(), expect.objectContaining({ mac: first?.mac, mtu: 1400 })],
        ips: [{ address: `${first?.address}/29`, gateway: '192.168.7.1', interface: 1 }],
      }),
    ])
    const shown = await run([process.execPath, MAIN, 'ovn-underlay', 'show', '--ovsdb', node.ovs.dbSocket], ENV)
    expect(shown.stdout).toContain('1 of 5 ports have pods')
    expect(shown.stdout).toContain(first?.id ?? '')
    expect(await node.cni('CHECK', { container: 'one', netns, config: { prevResult: answer } })).toEqual(
      expect.objectContaining({ code: 0 }),
    )
    expect(await node.cni('DEL', { container: 'one', netns })).toEqual({ code: 0, answer: undefined })
    expect((await weft('release', 'ls-cni', '--ovn-cluster', 'cni')).code).toBe(0)
  }, 120_000)

  test('writes a cluster’s configuration once', async () => {
    const networks = ['--service-network', '10.96.0.0/12', '--ovn-cluster', 'green']
    const first = await weft('init', '--pod-network', '10.244.0.0/16', ...networks)
    expect(first).toEqual({ code: 0, stdout: 'The cluster is configured.\n', stderr: '' })
    const other = await weft('init', '--pod-network', '10.8.0.0/16', ...networks)
    expect(other.stdout).toStartWith('There is another configuration already: {"networks":[{"cidr":"10.244.0.0/16"')
    expect(other.code).toBe(1)
    expect(await central.nbctl('--bare', '--columns=name', 'list', 'Logical_Router')).toContain('weft.green')
  }, 120_000)

  test.each([
    [['status'], 2, '--ovn-cluster'],
    [
      ['status', '--ovn-cluster', 'blue', '--ovn-cafile', 'x'],
      2,
      '--ovn-cafile, --ovn-certfile and --ovn-keyfile go together',
    ],
    [['status', '--ovn-cluster', 'blue', '--ovn-nb', 'ssl:127.0.0.1:1'], 2, 'name the files of the authority'],
    [['status', '--ovn-cluster', 'blue', '--ovn-nb', 'unix:/nonexistent'], 3, 'service ovn-central'],
    [
      [...prepare.slice(0, 3), '--ovn-cluster', 'blue', '--parent', 'nobody'],
      1,
      'ls-worker1 cannot be behind the port nobody: no port has that name',
    ],
    [['prepare', 'ls', '10.0.0.0/31', '--ovn-cluster', 'blue', '--parent', 'vm1'], 2, 'has room for 0 pods'],
  ])('weft ovn %p ends with %p', async (words, code, says) => {
    const result = await weft(...words)
    expect(result.stderr).toContain(says)
    expect(result.code).toBe(code)
  })
})
