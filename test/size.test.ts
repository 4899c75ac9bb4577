/** Files stay small enough to be read at once; who needs more says why. */
import { expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const ROOT = join(import.meta.dir, '..')
/** Lines of a file of the program. */
const CAP = 300
/** Lines of a file of tests: a list of cases is read one by one. */
const TEST_CAP = 450

/** Files that may be longer, up to which length, and why. */
const LONGER: Readonly<Record<string, readonly [lines: number, why: string]>> = {
  'src/network/planner.ts': [420, 'the one face of the plan: a line or two for each input, all else is in its parts'],
  'src/agent/agent.ts': [380, 'the wiring of one program, in the order in which its parts are made'],
  'src/agent/bgp/bgp.ts': [400, 'one BIRD from its start to its end: its steps share their state'],
  'test/tables/pipeline-cases.ts': [600, 'a table: one row for each case'],
  'test/e2e/guarded-bridge.ts': [650, 'one scenario: its steps share pods and frames'],
}

const files = ['src', 'scripts', 'bench', 'test'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name))),
)

test('no file is longer than it may be', () => {
  expect(files.length).toBeGreaterThan(500)
  const tooLong = files.flatMap((file) => {
    const lines = readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1
    const most = mayHave(file)
    return lines > most ? [`${file}: ${lines} lines, ${most} at most`] : []
  })
  expect(tooLong).toEqual([])
})

test('files that may be longer are there', () => {
  expect(Object.keys(LONGER).filter((file) => !existsSync(join(ROOT, file)))).toEqual([])
})

function mayHave(file: string): number {
  const [lines] = LONGER[file] ?? []
  return lines ?? (isTest(file) ? TEST_CAP : CAP)
}

function isTest(file: string): boolean {
  return file.startsWith('test/') || file.includes('/testing/') || /\.test\.(ts|mjs)$/.test(file)
}
