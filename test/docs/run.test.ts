/**
 * Types what the pages say, on a playground of its own. Left out is what would make or remove a playground, and what
 * runs everything (`npm …`); those have tests of their own. Blocks with kubectl are run where KUBEBUILDER_ASSETS names a
 * folder with one, and are shown as skipped elsewhere.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../lab/command.ts'
import { environment, Lab } from '../lab/lab.ts'
import { blocksOf, pages, ROOT } from './markdown.ts'

type Scripts = readonly (readonly [path: string, script: string])[]

const PATIENCE = 120_000
/** Lines that may be answered with no: what they ask about is changed by lines of other pages. */
const MAYBE_NO: ReadonlySet<string> = new Set([
  'weft trace shop/web bank/ledger',
  'weft trace shop/web bank/ledger --port 8080',
  'weft explain shop/web bank/ledger',
  'weft explain shop/web bank/ledger --port 8080',
  'weft ipam who 172.18.30.131',
  'weft ipam explain shop/web',
  'weft ipam explain shop/web --interface net1',
])
const LAB = new Lab('docs')
const BLOCKS = pages().flatMap((page) => blocksOf(page).map((block) => ({ path: page.path, block })))
const isWeft = (line: string): boolean => line.startsWith('weft ')
/** Each line once, with a page that has it. */
const LINES = new Map(
  BLOCKS.flatMap(({ path, block }) =>
    block.filter((line) => isWeft(line) && !isLeftOut(line)).map((line) => [line, path] as const),
  ),
)
const isKubectl = (line: string): boolean => /^kubectl |^export KUBECONFIG=/.test(line)
/** Blocks of shell without our command line: run as a whole. */
const WHOLE = BLOCKS.filter(({ block }) => !block.some((line) => isWeft(line) || line.startsWith('npm ')))
const scriptsWhere = (asked: boolean): Scripts =>
  WHOLE.filter(({ block }) => block.some(isKubectl) === asked).map(
    ({ path, block }) => [path, block.join('\n')] as const,
  )
const SCRIPTS = scriptsWhere(false)
const KUBECTL_SCRIPTS = scriptsWhere(true)
const ASSETS = process.env['KUBEBUILDER_ASSETS'] ?? ''
const HAS_KUBECTL = ASSETS !== '' && existsSync(join(ASSETS, 'kubectl'))
const KUBECTL_ENVIRONMENT = {
  ...environment(),
  PATH: `${ASSETS}:${environment()['PATH']}`,
  KUBECONFIG: LAB.layout.kubeconfig,
  HOME: '/nonexistent',
}

beforeAll(async () => {
  await LAB.up()
}, PATIENCE)

afterAll(async () => {
  await run(['ip', 'netns', 'del', NETNS])
  await LAB.down()
}, PATIENCE)

test('there is something to run', () => {
  expect([...MAYBE_NO].filter((line) => !LINES.has(line))).toEqual([])
  expect(LINES.size).toBeGreaterThan(15)
  expect(SCRIPTS.length).toBeGreaterThan(0)
  expect(KUBECTL_SCRIPTS.length).toBeGreaterThan(3)
})

test('no block mixes weft with kubectl: each kind is run in its own way', () => {
  expect(BLOCKS.filter(({ block }) => block.some(isWeft) && block.some(isKubectl))).toEqual([])
})

test.each([...LINES])(
  '%s (%s)',
  async (line) => {
    const { code, stdout, stderr } = await LAB.weft(...onLab(line.split(/\s+/).slice(1)))
    const answered = code === 0 || (code === 1 && MAYBE_NO.has(line))
    expect({ answered, code, said: `${stdout}${stderr}` }).toMatchObject({ answered: true })
  },
  PATIENCE,
)

test.each(SCRIPTS)('%s: a script', (_, script) => expectSuccess(script, environment()), PATIENCE)

if (!HAS_KUBECTL) console.warn('KUBEBUILDER_ASSETS names no folder with kubectl: what pages do with it is skipped')
test.skipIf(!HAS_KUBECTL).each(KUBECTL_SCRIPTS)(
  '%s: a script with kubectl',
  (_, script) => expectSuccess(script, KUBECTL_ENVIRONMENT),
  PATIENCE,
)

async function expectSuccess(script: string, env: Readonly<Record<string, string>>): Promise<void> {
  const own = script.replaceAll('/run/weft-play', LAB.layout.runDir).replace(/(?<=netns(\/| \w+ ))by-hand/g, NETNS)
  const { code, stdout, stderr } = await run(['bash', '-euo', 'pipefail', '-c', `cd ${ROOT}; ${own}`], { env })
  expect({ code, said: `${stdout}${stderr}` }).toEqual({ code: 0, said: expect.any(String) })
}

const NETNS = 'wefttest-docs-by-hand'

function isLeftOut(line: string): boolean {
  const endless = line.includes('--follow') && !line.includes('--count')
  return endless || /^weft play( up| down| --.*)?$/.test(line)
}

/** The words with the options that lead to the lab. */
function onLab([command = '', ...rest]: readonly string[]): string[] {
  const runDir = ['--run-dir', LAB.layout.runDir]
  if (['tenant', 'policy', 'ipam', 'fabric', 'bgp'].includes(command)) return [command, ...rest, ...runDir]
  if (['status', 'drops', 'explain', 'trace', 'audit'].includes(command)) return [command, ...runDir, ...rest]
  if (command !== 'play') return [command, ...rest]
  const depth = rest[0] === 'pod' || rest[0] === 'namespace' ? 2 : 1
  return [command, ...rest.slice(0, depth), ...runDir, ...rest.slice(depth)]
}
