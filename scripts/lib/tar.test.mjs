import { afterAll, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tar } from './tar.mjs'

const folder = mkdtempSync(join(tmpdir(), 'wefttest-tar-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const LONG = `${'d'.repeat(90)}/${'e'.repeat(60)}/${'f'.repeat(99)}`
const ENTRIES = [
  file('usr/lib/weft/weft', 'x'.repeat(1000), 0o755),
  file('etc/passwd', '', 0o644),
  { path: 'usr/bin/weft', type: 'symlink', target: '../lib/weft/weft' },
  { path: 'tmp', type: 'folder', mode: 0o1777 },
  file(LONG, 'far', 0o600),
]

test('tar reads what is written: sorted, with the folders above, of root and of one time', () => {
  const listed = read(['-tvf', '-', '--numeric-owner', '--utc', '--full-time'], tar(ENTRIES, { time: 86_400 }))
  const shape = listed
    .trim()
    .split('\n')
    .map((line) => line.replace(/ +/g, ' '))
  const at = '1970-01-02 00:00:00'
  expect(shape).toEqual([
    `drwxr-xr-x 0/0 0 ${at} ${LONG.split('/')[0]}/`,
    `drwxr-xr-x 0/0 0 ${at} ${LONG.split('/').slice(0, 2).join('/')}/`,
    `-rw------- 0/0 3 ${at} ${LONG}`,
    `drwxr-xr-x 0/0 0 ${at} etc/`,
    `-rw-r--r-- 0/0 0 ${at} etc/passwd`,
    `drwxrwxrwt 0/0 0 ${at} tmp/`,
    `drwxr-xr-x 0/0 0 ${at} usr/`,
    `drwxr-xr-x 0/0 0 ${at} usr/bin/`,
    `lrwxrwxrwx 0/0 0 ${at} usr/bin/weft -> ../lib/weft/weft`,
    `drwxr-xr-x 0/0 0 ${at} usr/lib/`,
    `drwxr-xr-x 0/0 0 ${at} usr/lib/weft/`,
    `-rwxr-xr-x 0/0 1000 ${at} usr/lib/weft/weft`,
  ])
  expect(read(['-xOf', '-', LONG], tar(ENTRIES))).toBe('far')
})

test('the order of the entries is no matter', () => {
  expect(tar([...ENTRIES].reverse()).equals(tar(ENTRIES))).toBe(true)
})

test.each([
  ['/etc/passwd', 'is no path'],
  ['../etc', 'is no path'],
  ['a//b', 'is no path'],
  ['a/./b', 'is no path'],
  ['', 'is no path'],
  ['etc/passwd', 'twice'],
  ['etc/passwd/x', 'which is no folder'],
  ['g'.repeat(101), 'too long'],
])('%j is refused: %s', (path, reason) => {
  expect(() => tar([...ENTRIES, file(path, '', 0o644)])).toThrow(reason)
})

function file(path, content, mode) {
  return { path, type: 'file', mode, content: Buffer.from(content) }
}

function read(args, archive) {
  const path = join(folder, 'archive.tar')
  writeFileSync(path, archive)
  const env = { ...process.env, LC_ALL: 'C' }
  const command = args.map((arg) => (arg === '-' ? path : arg))
  const { stdout, stderr, status } = spawnSync('tar', command, { encoding: 'utf8', env })
  if (status !== 0) throw new Error(stderr)
  return stdout
}
