/** Routes in a kernel's namespace of its own. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { closeSync, openSync } from 'node:fs'
import { openRtnl, type RtnlSocket } from '../../linux/index.ts'
import { birdRoutes, withdrawRoutes } from './withdraw.ts'

const NETNS = `wefttest-withdraw-${process.pid}`
let rtnl: RtnlSocket

function command(...argv: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...argv])
  if (exitCode !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`)
  return stdout.toString()
}

beforeAll(() => {
  command('ip', 'netns', 'add', NETNS)
  command('ip', '-n', NETNS, 'link', 'add', 'eth0', 'up', 'type', 'veth', 'peer', 'name', 'wire')
  command('ip', '-n', NETNS, 'link', 'set', 'wire', 'up')
  command('ip', '-n', NETNS, 'address', 'add', '192.0.2.1/24', 'dev', 'eth0')
  command('ip', '-n', NETNS, 'address', 'add', '2001:db8::1/64', 'dev', 'eth0', 'nodad')
  const nsFd = openSync(`/run/netns/${NETNS}`, 'r')
  rtnl = openRtnl({ nsFd })
  closeSync(nsFd)
})

afterAll(() => {
  rtnl?.close()
  command('ip', 'netns', 'del', NETNS)
})

test('what a BIRD of ours left in the kernel is known as ours and goes, what another one has there stays', () => {
  const add = (...route: readonly string[]) => command('ip', '-n', NETNS, 'route', 'add', ...route, 'proto', 'bird')
  add('10.128.2.0/24', 'via', '192.0.2.2', 'table', '22354')
  add('203.0.113.0/24', 'via', '192.0.2.2', 'table', '22356')
  add('198.51.100.9/32', 'via', '192.0.2.2', 'metric', '22354')
  add('2001:db8:9::9/128', 'via', '2001:db8::2', 'metric', '22354')
  add('198.51.100.0/24', 'via', '192.0.2.2', 'metric', '32')
  add('198.51.100.10/32', 'via', '192.0.2.2')
  expect(birdRoutes(rtnl).map(({ destination }) => destination)).toEqual([
    '10.128.2.0/24',
    '203.0.113.0/24',
    '198.51.100.9/32',
    '2001:db8:9::9/128',
  ])
  withdrawRoutes(rtnl)
  expect(birdRoutes(rtnl)).toEqual([])
  const left = command('ip', '-n', NETNS, 'route', 'show', 'table', 'all', 'proto', 'bird')
  expect(
    left
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0]),
  ).toEqual(['198.51.100.0/24', '198.51.100.10'])
})
