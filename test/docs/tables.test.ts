/**
 * Names that pages repeat out of the code are still the code's: refusals, drop reasons, exit codes, packages, rooms.
 */
import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT, EXIT_BY_CODE } from '../../src/cli/exit-codes.ts'
import { DROPS, type Drop } from '../../src/network/pipeline/drops.ts'
import { ROOT } from './markdown.ts'

test('every error of a tenant’s request is in tenants.md, and no other', () => {
  const source = read('src/controller/requests.ts') + read('src/cli/tenant-requests.ts')
  expect(codesIn(read('docs/tenants.md'), /`(TENANT_[A-Z_]+)`/g)).toEqual(codesIn(source, /'(TENANT_[A-Z_]+)'/g))
})

test('drop reasons named in why-was-my-packet-dropped.md exist, and all noise is named as such', () => {
  const rows = read('docs/why-was-my-packet-dropped.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  const named = rows.flatMap((row) => codesIn(row.split('|')[1] ?? '', /`([^`]+)`/g))
  expect(named.filter((name) => !Object.hasOwn(DROPS, name))).toEqual([])
  const noise = Object.entries<Drop>(DROPS).flatMap(([name, { benign }]) => (benign === true ? [name] : []))
  const noiseRow = rows.find((row) => row.includes('ordinary noise'))
  expect(codesIn(noiseRow ?? '', /`([^`]+)`/g)).toEqual(noise.sort())
})

test('exit codes are those of the program', () => {
  const [page = ''] = read('docs/exit-codes.md').split('## npm')
  const codes = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code))
  expect(codes).toEqual(Object.values(EXIT))
  expect([...EXIT_BY_CODE.values()].filter((code) => !codes.includes(code))).toEqual([])
})

test('every package that set-up installs is in requirements.md', async () => {
  const page = read('docs/requirements.md')
  // The scripts are plain JavaScript, which has no types to import.
  const path: string = join(ROOT, 'scripts/lib/packages.mjs')
  const scripts: { readonly PACKAGES: Readonly<Record<string, readonly string[]>> } = await import(path)
  const missing = Object.values(scripts.PACKAGES)
    .flat()
    .filter((name) => !page.includes(`\`${name}\``))
  expect(missing).toEqual([])
})

test('flannel.md names every back end of flannel that is refused', () => {
  const [, refused = ''] = /const REFUSED[^{]*\{(.*?)\n\}/s.exec(read('src/compat/flannel/backend.ts')) ?? []
  const page = read('docs/flannel.md')
  const names = codesIn(refused, /^ {2}'?([a-z][a-z-]*)'?:/gm)
  expect(names).toContain('wireguard')
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
})

test.each(['README.md', 'README.zh-CN.md'])('%s lists every room', (path) => {
  const rooms = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const page = read(path)
  expect(rooms.map(({ name }) => name).filter((name) => !page.includes(`\`src/${name}\``))).toEqual([])
})

function codesIn(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, code = '']) => code))].sort()
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}
