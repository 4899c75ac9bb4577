import { afterAll, beforeAll, expect, test } from 'bun:test'
import { closeSync, openSync } from 'node:fs'
import { ip } from '../network/model/address.ts'
import { type EchoServer, serveEcho } from './echo-server.ts'
import { firstLine, ping } from './probe.ts'

const [A, B] = [`wefttest-play-${process.pid}-a`, `wefttest-play-${process.pid}-b`]
// A yes may have to wait until the kernel noticed that the link is up; a no is not worth waiting for.
const LONG = { pings: 40, interval: 150, tcp: 6000 }
const SHORT = { pings: 2, interval: 150, tcp: 300 }
let server: EchoServer
let fd: number

beforeAll(() => {
  run('netns', 'add', A)
  run('netns', 'add', B)
  run('-n', A, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', B)
  for (const [ns, host] of [
    [A, 1],
    [B, 2],
  ]) {
    run('-n', `${ns}`, 'addr', 'add', `192.0.2.${host}/24`, 'dev', 'eth0')
    run('-n', `${ns}`, 'addr', 'add', `2001:db8::${host}/64`, 'dev', 'eth0', 'nodad')
    run('-n', `${ns}`, 'link', 'set', 'eth0', 'up')
  }
  server = serveEcho(`/run/netns/${B}`, 8080, 'shop/web')
  fd = openSync(`/run/netns/${A}`, 'r')
})

afterAll(() => {
  server?.close()
  if (fd !== undefined) closeSync(fd)
  run('netns', 'del', A)
  run('netns', 'del', B)
})

test.each([
  ['192.0.2.2', true],
  ['2001:db8::2', true],
  ['192.0.2.3', false],
  ['2001:db8::3', false],
  ['203.0.113.1', false],
])('ping %s: %p', async (address, expected) => {
  expect(await ping(fd, ip(address), expected ? LONG : SHORT)).toBe(expected)
})

test.each([
  ['192.0.2.2', 8080, 'shop/web 192.0.2.1'],
  ['2001:db8::2', 8080, 'shop/web 2001:db8::1'],
  ['192.0.2.2', 8081, undefined],
  ['192.0.2.3', 8080, undefined],
  ['203.0.113.1', 8080, undefined],
])('the first line of %s port %d', async (address, port, expected) => {
  const line = await firstLine(fd, ip(address), port, expected === undefined ? SHORT : LONG)
  expect(line?.replace(/ port=\d+$/, '')).toBe(expected)
})

test('the server greets and echoes', async () => {
  const talk = 'exec 3<>/dev/tcp/192.0.2.2/8080; echo hi >&3; head -n2 <&3'
  const child = Bun.spawn(['ip', 'netns', 'exec', A, 'bash', '-c', talk], { stdout: 'pipe' })
  const [greeting, echoed] = (await new Response(child.stdout).text()).trim().split('\n')
  expect([greeting?.replace(/ port=\d+$/, ''), echoed]).toEqual(['shop/web 192.0.2.1', 'hi'])
})

function run(...args: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(['ip', ...args])
  if (exitCode !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`)
}
