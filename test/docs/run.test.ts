/**
 * Types what the pages say, on a playground of its own. Left out is what would make or remove a playground, and what
 * runs everything (`npm …`); those have tests of their own.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { run } from '../lab/command.ts'
import { environment, Lab } from '../lab/lab.ts'
import { blocksOf, pages, ROOT } from './markdown.ts'

const PATIENCE = 120_000
/** Lines that may be answered with no: what they ask about is changed by lines of other pages. */
const MAYBE_NO: ReadonlySet<string> = new Set([
  'weft trace shop/web bank/ledger',
  'weft trace shop/web bank/ledger --port 8080',
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
/** Blocks of shell without our command line: run as a whole. */
const SCRIPTS = BLOCKS.filter(({ block }) => !block.some((line) => isWeft(line) || line.startsWith('npm ')))

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

test.each(SCRIPTS.map(({ path, block }) => [path, block.join('\n')] as const))(
  '%s: a script',
  async (_, script) => {
    const own = script.replaceAll('/run/weft-play', LAB.layout.runDir).replace(/(?<=netns(\/| \w+ ))by-hand/g, NETNS)
    const argv = ['bash', '-euo', 'pipefail', '-c', `cd ${ROOT}; ${own}`]
    const { code, stdout, stderr } = await run(argv, { env: environment() })
    expect({ code, said: `${stdout}${stderr}` }).toEqual({ code: 0, said: expect.any(String) })
  },
  PATIENCE,
)

const NETNS = 'wefttest-docs-by-hand'

function isLeftOut(line: string): boolean {
  const endless = line.includes('--follow') && !line.includes('--count')
  return endless || /^weft play( up| down| --.*)?$/.test(line)
}

/** The words with the options that lead to the lab. */
function onLab([command = '', ...rest]: readonly string[]): string[] {
  const runDir = ['--run-dir', LAB.layout.runDir]
  if (command === 'tenant') return [command, ...rest, ...runDir]
  if (['status', 'drops', 'trace', 'audit'].includes(command)) return [command, ...runDir, ...rest]
  if (command !== 'play') return [command, ...rest]
  const depth = rest[0] === 'pod' || rest[0] === 'namespace' ? 2 : 1
  return [command, ...rest.slice(0, depth), ...runDir, ...rest.slice(depth)]
}
