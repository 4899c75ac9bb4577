import { afterAll, beforeAll, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeJson } from '../../flow/json.ts'
import { serveAgent } from '../../insight/testing/agent-double.ts'
import { sampleView } from '../../insight/testing/sample-facts.ts'

const NETNS = `wefttest-cli-doctor-${process.pid}`
const runDir = mkdtempSync(join(tmpdir(), 'weft-doctor-'))
const [facts] = sampleView().nodes
const agent = serveAgent(join(runDir, 'agent.sock'), () => new Response(encodeJson(facts)))

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('ip', args)
  if (status !== 0) throw new Error(String(stderr))
}

beforeAll(() => {
  ip('netns', 'add', NETNS)
  const here = (...args: readonly string[]) => ip('-n', NETNS, ...args)
  here('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1')
  here('link', 'set', 'eth1', 'up')
  here('addr', 'add', '192.0.2.11/24', 'dev', 'eth0')
  here('link', 'set', 'eth0', 'up')
})
afterAll(async () => {
  await agent.stop(true)
  spawnSync('ip', ['netns', 'del', NETNS])
  rmSync(runDir, { recursive: true, force: true })
})

/** The states of the checks in the namespace, by check. */
async function doctor(): Promise<{ readonly code: number; readonly states: Readonly<Record<string, string>> }> {
  const main = join(import.meta.dir, '../../main.ts')
  const paths = ['--run-dir', runDir, '--ovsdb', join(runDir, 'none'), '--ovs-run-dir', runDir]
  const child = Bun.spawn(['ip', 'netns', 'exec', NETNS, process.execPath, main, 'doctor', '--json', ...paths], {
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const { checks } = (await new Response(child.stdout).json()) as {
    readonly checks: readonly { readonly check: string; readonly state: string }[]
  }
  return { code: await child.exited, states: Object.fromEntries(checks.map(({ check, state }) => [check, state])) }
}

const LOOKED_AT = ['mtu', 'tunnel-port', 'names', 'ranges', 'ipv6', 'forward-drops', 'nft'] as const

test('what is wrong with a real host is seen', async () => {
  const before = await doctor()
  expect(LOOKED_AT.map((check) => [check, before.states[check]])).toEqual(LOOKED_AT.map((check) => [check, 'ok']))
  // There is no Open vSwitch here.
  expect([before.states['ovsdb'], before.code]).toEqual(['fail', 1])
  const here = (...args: readonly string[]) => ip('-n', NETNS, ...args)
  here('link', 'set', 'eth0', 'mtu', '1300')
  here('link', 'add', 'vx', 'type', 'vxlan', 'id', '5', 'dev', 'eth0', 'dstport', '4789')
  here('link', 'add', 'br-weft', 'type', 'bridge')
  here('route', 'add', '10.129.0.0/24', 'dev', 'eth0')
  ip('netns', 'exec', NETNS, 'sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1')
  const drop = 'add table inet own; add chain inet own f { type filter hook forward priority 0; policy drop; }'
  ip('netns', 'exec', NETNS, 'nft', drop)
  const after = await doctor()
  const seen = LOOKED_AT.filter((check) => check !== 'nft')
  expect(seen.map((check) => [check, after.states[check]])).toEqual(seen.map((check) => [check, 'fail']))
})
