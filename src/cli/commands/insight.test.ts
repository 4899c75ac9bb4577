import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NodeFacts } from '../../agent/control/facts.ts'
import { encodeJson } from '../../flow/json.ts'
import { pipelinePage } from '../../insight/docs/pipeline-page.ts'
import { serveAgent } from '../../insight/testing/agent-double.ts'
import { sampleView } from '../../insight/testing/sample-facts.ts'
import { parseCookie } from '../../network/pipeline/cookie.ts'
import { DROPS } from '../../network/pipeline/drops.ts'

/** Every step is a program of its own. */
setDefaultTimeout(60_000)
const MAIN = join(import.meta.dir, '../../main.ts')
let runDir: string
let facts: NodeFacts[]
/** What the agents were asked to repair. */
let repairs: unknown[]
/** How often the first node’s counters were read: every reading finds five packets more. */
let readings = 0n
const servers: { stop(hard: boolean): unknown }[] = []

beforeAll(() => {
  runDir = mkdtempSync(join(tmpdir(), 'weft-insight-cli-'))
  facts = [...sampleView().nodes]
  repairs = []
  for (const [at, { status }] of facts.entries()) {
    const folder = join(runDir, status.node, 'agent')
    mkdirSync(folder, { recursive: true })
    servers.push(serveAgent(join(folder, 'agent.sock'), (path, request) => answer(at, path, request)))
  }
})

afterAll(async () => {
  for (const server of servers) await server.stop(true)
  rmSync(runDir, { recursive: true, force: true })
})

describe('exit codes', () => {
  const cases: readonly (readonly [command: string, exit: number, output: RegExp])[] = [
    ['status', 0, /2 of 2 nodes ready, 3 virtual networks, 6 pods/],
    ['status --nodes', 0, /switch +Open vSwitch 3\.1\.0/],
    ['trace shop/web shop/cart -6', 0, /reaches shop\/cart by tcp port 80 over IPv6/],
    ['trace shop/web bank/vault --protocol icmp', 1, /weft tenant join shop --to bank --run-dir \S+/],
    ['trace shop/web 198.51.100.7 --size 9000', 1, /✘ [\s\S]* carries 1450 at most/],
    ['trace shop/web service/web', 0, /balanced over 3 endpoints[\s\S]* whichever of its 3 endpoints answers/],
    ['trace bank/vault service/web --backend api', 1, /tenant join bank --to shop/],
    ['trace shop/web nobody', 1, /no pod or node nobody/],
    ['trace shop/web shop/api --check', 4, /OPEN VSWITCH DISAGREES/],
    ['trace shop/web shop/api --port 70000', 2, /0 to 65535/],
    ['trace shop/web', 2, /missing required argument/],
    ['audit', 0, /no difference/],
    ['drops --count 2', 2, /--count is for --follow → add --follow/],
    ['drops --node node9', 1, /no agent of a node node9/],
    ['drops', 0, /spoofed-mac: its source MAC address is not the pod’s\./],
  ]
  for (const [command, exit, output] of cases) {
    test(`weft ${command}`, async () => {
      const result = await weft(...command.split(' '), '--run-dir', runDir)
      expect(result.output).toMatch(output)
      expect(result.exit).toBe(exit)
    })
  }

  test('nothing is there', async () => {
    for (const command of [['status'], ['drops'], ['audit'], ['trace', 'a', 'b']]) {
      const { exit, output } = await weft(...command, '--run-dir', '/nonexistent/weft')
      expect(output).toBe('weft: no agent’s socket below /nonexistent/weft → check --run-dir\n')
      expect(exit).toBe(3)
    }
  })
})

test('weft drops --follow prints what comes in addition', async () => {
  const { exit, lines } = await weft(
    'drops',
    '--follow',
    '--count',
    '1',
    '--json',
    '--node',
    'node1',
    '--run-dir',
    runDir,
  )
  const news = lines.map((line) => JSON.parse(line))
  expect(news.map(({ object, reason, packets }) => ({ object, reason, packets }))).toEqual(
    ['shop/web', 'shop/api', 'bank/vault', 'default/dns'].map((pod) => ({
      object: `pod ${pod}`,
      reason: 'spoofed-mac',
      packets: 5,
    })),
  )
  expect(exit).toBe(0)
})

test('weft audit --repair asks for what the plan says, and looks again', async () => {
  const [first] = facts
  if (first === undefined) throw new Error('a node')
  facts[0] = { ...first, ports: first.ports.filter(({ ofport }) => ofport !== 0x1002) }
  const before = await weft('audit', '--json', '--run-dir', runDir)
  const [found] = JSON.parse(before.output).findings
  expect(found).toMatchObject({ code: 'lease-without-port', node: 'node1', object: 'pod shop/web' })
  expect(before.exit).toBe(1)
  const after = await weft('audit', '--repair', '--run-dir', runDir)
  expect(repairs).toEqual([{ plan: [{ op: 'put-port', endpoint: 'c2/eth0' }] }])
  expect(after.output).toMatch(
    /The plan:\n {2}node1 1\. put the port of c2\/eth0 back[\s\S]*✔ node1: .*done[\s\S]*no difference/,
  )
  expect(after.exit).toBe(0)
})

test('weft docs pipeline prints the page', async () => {
  expect((await weft('docs', 'pipeline')).output).toBe(pipelinePage())
})

test('every command prints one JSON value, errors too', async () => {
  for (const command of [
    ['status'],
    ['drops', '--all'],
    ['trace', 'shop/web', 'shop/api'],
    ['trace', 'x', 'y'],
    ['audit'],
  ]) {
    const { lines } = await weft(...command, '--json', '--run-dir', runDir)
    expect(typeof JSON.parse(lines[0] ?? '')).toBe('object')
  }
})

async function weft(...args: readonly string[]) {
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    stdout: 'pipe',
    stderr: 'pipe',
    env: { ...process.env, NO_COLOR: '' },
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { exit: await child.exited, output: out + err, lines: out.split('\n').filter((line) => line !== '') }
}

async function answer(at: number, path: string, request: Request): Promise<Response> {
  const told = facts[at]
  if (told === undefined) return new Response('{}', { status: 404 })
  if (at === 0) readings += 1n
  const installed = told.installed.map((one) =>
    isSpoofedMac(one.flow) ? { ...one, packets: 5n * readings, bytes: 1n } : one,
  )
  if (path === '/facts') return new Response(encodeJson({ ...told, installed }))
  if (path === '/drops') return new Response(encodeJson(installed.filter(({ flow }) => isSpoofedMac(flow))))
  if (path === '/ofproto-trace')
    return new Response(encodeJson({ text: 'bridge("br-weft")\n 0. No match.\n    drop\n' }))
  if (path !== '/repair') return new Response('{}', { status: 404 })
  repairs.push(await request.json())
  facts[at] = sampleView().nodes[at] ?? told
  return new Response(encodeJson({ results: [{ done: true, message: 'done' }] }))
}

function isSpoofedMac({ cookie, priority }: { readonly cookie: bigint; readonly priority: number }): boolean {
  return priority > 0 && parseCookie(cookie)?.dropCode === DROPS['spoofed-mac'].code
}
