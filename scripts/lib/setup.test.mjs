import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { statusText } from './install.mjs'
import { npmProblem, sameTree } from './npm.mjs'
import { aptProblem, decide, isDebian, lackingByDpkg, PACKAGES } from './packages.mjs'
import { saidYes } from './setup.mjs'

const bare = { missing: ['nftables', 'gcc'], debian: true, uid: 0, yes: false, terminal: false }

test.each([
  ['nothing missing', { ...bare, missing: [], uid: 1000, debian: false }, 'ready'],
  ['nobody to ask', bare, 'install'],
  ['somebody to ask', { ...bare, terminal: true }, 'ask'],
  ['somebody who said yes', { ...bare, terminal: true, yes: true }, 'install'],
  ['not root', { ...bare, uid: 1000, yes: true }, 'refuse'],
  ['not Debian', { ...bare, debian: false, yes: true }, 'refuse'],
])('%s', (_, facts, action) => {
  expect(decide(facts).action).toBe(action)
})

test('a refusal names the packages', () => {
  expect(decide({ ...bare, uid: 1000 }).remedy).toContain('apt-get install nftables gcc')
  expect(decide({ ...bare, debian: false }).cause).toContain('nftables gcc')
})

test('a package that was removed but left its configuration is missing', () => {
  const text = 'nftables installed\ngcc config-files\nlibc6-dev half-installed\n'
  expect(lackingByDpkg(['nftables', 'gcc', 'libc6-dev', 'iproute2'], text)).toEqual(['gcc', 'libc6-dev', 'iproute2'])
})

test.each([
  ['ID=debian', true],
  ['NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian', true],
  ['ID_LIKE="ubuntu debian"', true],
  ['ID="debian"', true],
  ['ID=fedora\nHOME_URL="https://debian.example"', false],
])('%p', (text, expected) => {
  expect(isDebian(text)).toBe(expected)
})

test.each([
  ['W: Failed to fetch http://deb.debian.org/x  Could not resolve', /network/],
  ['E: Unable to locate package foo', /sources\.list/],
  ['E: Could not get lock /var/lib/dpkg/lock', /wait/],
  ['E: dpkg was interrupted, you must manually run', /dpkg --configure -a/],
  ['E: You don’t have enough free space', /apt-get install x|room/],
  ['', /apt-get install x/],
])('apt-get’s trouble gets a remedy: %s', (output, remedy) => {
  expect(aptProblem(output, 'x')[1]).toMatch(remedy)
})

test('apt-get’s status descriptor in words', () => {
  expect(statusText('pmstatus:nftables:60.5:Installed nftables (amd64)')).toBe('Installed nftables (amd64)')
  expect(statusText('dlstatus:3:57.12:Retrieving file 3 of 4')).toBe('50 % downloaded')
  expect(statusText('pmstatus:x:1:Running dpkg')).toBeUndefined()
  expect(statusText('')).toBeUndefined()
})

test('what a skipped test asks for is what a command of the tests installs', () => {
  const installed = new Set(['test', 'test:image', 'test:package'].flatMap((purpose) => PACKAGES[purpose]))
  const asked = ['src', 'test', 'bench'].flatMap((folder) => {
    const root = join(import.meta.dir, '../..', folder)
    // Those of test/cluster and test/vm are for people who have more than this.
    return readdirSync(root, { recursive: true })
      .filter((name) => /^(?!cluster\/|vm\/).*\.ts$/.test(name) && (folder !== 'src' || name.endsWith('.test.ts')))
      .flatMap((name) =>
        [...readFileSync(join(root, name), 'utf8').matchAll(ASKED)].flatMap(([, names]) => names.split(' ')),
      )
  })
  expect(new Set(asked).size).toBeGreaterThan(5)
  expect([...new Set(asked)].filter((name) => !installed.has(name))).toEqual([])
})

/** Names of packages behind the words; `it` and what begins with a variable are none. */
const ASKED = /apt-get install ((?!it\b)[a-z][a-z0-9.+-]*[a-z0-9](?: [a-z][a-z0-9.+-]*[a-z0-9])*)/g

const lock = {
  packages: {
    '': { name: 'weft' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/b-win': { version: '1.0.0', integrity: 'sha512-b', optional: true },
  },
}

test.each([
  ['the same', lock, true],
  ['without another machine’s package', { packages: { 'node_modules/a': lock.packages['node_modules/a'] } }, true],
  ['another version', { packages: { 'node_modules/a': { version: '2.0.0' } } }, false],
  ['nothing in it', { packages: {} }, false],
  ['damaged', {}, false],
  ['absent', undefined, false],
])('installed npm packages: %s', (_, installed, expected) => {
  expect(sameTree(lock, installed)).toBe(expected)
})

test('yes belongs to us only before the double dash', () => {
  expect(saidYes(['up', '--yes'])).toBe(true)
  expect(saidYes(['exec', 'shop/web', '--', 'apt', '--yes'])).toBe(false)
})

test('npm’s complaint without its codes', () => {
  const output =
    'npm warn x\nnpm error code E404\nnpm error\nnpm error 404 Not Found - GET http://localhost/x\nnpm error more'
  expect(npmProblem(output)).toBe('404 Not Found - GET http://localhost/x')
  expect(npmProblem('added 1 package')).toBeUndefined()
})
