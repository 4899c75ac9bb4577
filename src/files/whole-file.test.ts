import { afterEach, beforeEach, expect, test } from 'bun:test'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sweepDrafts, writeWhole } from './whole-file.ts'

let folder = ''
let path = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wefttest-files-'))
  path = join(folder, 'a.json')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

test.each([0o600, 0o644, 0o755])('a file has mode %o, whatever the umask is, and nothing lies beside it', (mode) => {
  const before = process.umask(0o077)
  try {
    writeWhole(path, 'one', mode)
    writeWhole(path, new TextEncoder().encode('two'), mode)
  } finally {
    process.umask(before)
  }
  expect(readFileSync(path, 'utf8')).toBe('two')
  expect(statSync(path).mode & 0o777).toBe(mode)
  expect(readdirSync(folder)).toEqual(['a.json'])
})

test('what cannot be moved to its place leaves nothing, and says why', () => {
  expect(() => writeWhole(join(folder, 'none/a.json'), '', 0o600)).toThrow('ENOENT')
  expect(() => writeWhole(folder, '', 0o600)).toThrow()
  expect(readdirSync(folder)).toEqual([])
})

/** Writes the same file until it is killed. */
const WRITER = `import { writeWhole } from ${JSON.stringify(join(import.meta.dir, 'whole-file.ts'))}
for (let i = 0; ; i += 1) writeWhole(process.argv[1], String(i % 10).repeat(200_000), 0o600)`

test('of a writer that is killed the former file stands, and what it left goes with the next one', async () => {
  writeWhole(path, '0'.repeat(200_000), 0o600)
  const draft = (): boolean => readdirSync(folder).some((name) => name !== 'a.json')
  while (!draft()) {
    const writer = Bun.spawn([process.execPath, '-e', WRITER, path], { stdio: ['ignore', 'inherit', 'inherit'] })
    while (!draft() && writer.exitCode === null) await Bun.sleep(0)
    // It may be done with this one before it hears of it.
    writer.kill('SIGKILL')
    await writer.exited
    expect(writer.signalCode).toBe('SIGKILL')
  }
  expect(readFileSync(path, 'utf8')).toMatch(/^(\d)\1{199999}$/)
  expect(readdirSync(folder)).toHaveLength(2)
  writeWhole(path, 'next', 0o600)
  expect(readdirSync(folder)).toEqual(['a.json'])
}, 60_000)

const HERE = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? ''
/** Beyond what numbers of processes there can be. */
const NOBODY = 2 ** 22 + 1

test.each<[string, string, boolean, boolean]>([
  ['of nobody any more', `.a.json.weft-${HERE}-${NOBODY}`, false, true],
  ['of this process, which is no writer now', `.b.weft-${HERE}-${process.pid}`, false, true],
  ['of one that lives', `.b.weft-${HERE}-1`, false, false],
  ['that is old, whoever has its number now', `.b.weft-${HERE}-1`, true, true],
  ['of another container', '.b.weft-7-4194305', false, false],
  ['of another container, that is old', '.b.weft-7-4194305', true, true],
  ['that somebody else has', '.b.weft-7-x', true, false],
  ['that somebody else has, too', 'b.new', true, false],
])('a draft %s', (_, name, isOld, goes) => {
  writeFileSync(join(folder, name), '')
  if (isOld) utimesSync(join(folder, name), 1, 1)
  sweepDrafts(folder)
  expect(existsSync(join(folder, name))).toBe(!goes)
})
