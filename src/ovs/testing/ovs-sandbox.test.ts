import { afterEach, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { type OvsSandbox, startOvsSandbox } from './ovs-sandbox.ts'

const running: OvsSandbox[] = []

afterEach(async () => {
  for (const sandbox of running.splice(0)) await sandbox.stop()
})

async function start(...args: Parameters<typeof startOvsSandbox>): Promise<OvsSandbox> {
  const sandbox = await startOvsSandbox(...args)
  running.push(sandbox)
  return sandbox
}

test('a dummy sandbox has a bridge that answers on its management socket, and leaves nothing', async () => {
  const ovs = await start({ dummy: true })
  await ovs.vsctl('add-br', 'br0')
  await ovs.vsctl('add-port', 'br0', 'p1')
  expect(Number(await ovs.vsctl('get', 'Interface', 'p1', 'ofport'))).toBeGreaterThan(0)
  expect(await ovs.ofctl('dump-flows', `unix:${ovs.mgmtSocket('br0')}`)).toContain('NORMAL')
  const { vswitchd = 0, database = 0 } = ovs.pids()
  await ovs.stop()
  expect(existsSync(ovs.dir)).toBe(false)
  expect([vswitchd, database].map((pid) => existsSync(`/proc/${pid}`))).toEqual([false, false])
})

test('both daemons can be killed and started again with the same database', async () => {
  const ovs = await start({ dummy: true })
  await ovs.vsctl('add-br', 'br0')
  await ovs.killVswitchd()
  await ovs.killDatabase()
  expect(ovs.pids()).toEqual({})
  await ovs.startDatabase()
  await ovs.startVswitchd()
  expect(await ovs.vsctl('list-br')).toBe('br0')
  expect(await ovs.appctl('dpif/show')).toContain('br0')
})

test('inside a network namespace, its TAP devices go with it even after a kill', async () => {
  const netns = `wefttest-ovsdb-${process.pid}`
  expect(Bun.spawnSync(['ip', 'netns', 'add', netns]).exitCode).toBe(0)
  try {
    const ovs = await start({ netns })
    await ovs.vsctl('add-br', 'brns', '--', 'set', 'bridge', 'brns', 'datapath_type=netdev')
    const links = (): string => Bun.spawnSync(['ip', '-n', netns, '-o', 'link']).stdout.toString()
    expect(links()).toContain('brns')
    await ovs.killVswitchd()
    await ovs.stop()
    expect(links()).not.toContain('brns')
  } finally {
    Bun.spawnSync(['ip', 'netns', 'del', netns])
  }
})
