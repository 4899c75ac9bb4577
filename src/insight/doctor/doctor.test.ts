import { afterAll, beforeAll, expect, test } from 'bun:test'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { PLAIN } from '../../text/look.ts'
import { examine } from './check.ts'
import { CHECKS } from './checks/index.ts'
import { type HostFacts, SYSCTLS } from './facts.ts'
import { matchesGlob, parseIni } from './ini.ts'
import { cniConfigs, linkFiles, networkdConfig, networkManagerConfig, pluginFile, portmapIn } from './observe/files.ts'
import { observeHost } from './observe/observe.ts'
import { decodeSocketTable } from './observe/proc.ts'
import { printReport } from './print.ts'
import { EXPECTED, FINE, no, yes } from './testing/fine-host.ts'

const root = mkdtempSync(join(tmpdir(), 'weft-doctor-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('whatever cannot be read is a row, and none is without advice', () => {
  const keys = Object.keys(FINE).filter((key) => key !== 'sysctls') as (keyof HostFacts)[]
  const sysctlNames = Object.keys(SYSCTLS) as (keyof typeof SYSCTLS)[]
  fc.assert(
    fc.property(fc.subarray(keys), fc.subarray(sysctlNames), fc.boolean(), (missing, off, known) => {
      const facts = {
        ...FINE,
        ...Object.fromEntries(missing.map((key) => [key, no])),
        sysctls: { ...FINE.sysctls, ...Object.fromEntries(off.map((key) => [key, no])) },
      } as HostFacts
      const rows = examine(
        CHECKS,
        facts,
        known ? EXPECTED : { ...EXPECTED, cluster: undefined, ranges: [], addresses: [] },
      )
      expect(rows.map(({ check }) => check)).toEqual(CHECKS.map(({ id }) => id))
      expect(rows.filter((row) => row.found === '' || row.found.includes('could not be judged'))).toEqual([])
      expect(rows.filter((row) => row.state !== 'ok' && row.remedy === '')).toEqual([])
    }),
    { numRuns: 60 },
  )
})

test('a check that fails itself is a row', () => {
  const broken = {
    id: 'broken',
    look: () => {
      throw new Error('ouch')
    },
  }
  expect(examine([broken], FINE, EXPECTED)).toEqual([
    expect.objectContaining({ check: 'broken', state: 'warn', found: expect.stringContaining('ouch') }),
  ])
})

test('the report: a line per check, advice, a sum', () => {
  const lines = printReport(examine(CHECKS, { ...FINE, vswitchd: no, plugin: no }, EXPECTED), PLAIN)
  expect(lines.filter((line) => line.length > 100)).toEqual([])
  expect(lines.at(-1)).toBe('26 checks: 1 failed, 1 warning')
  expect(lines.join('\n')).toContain('vswitchd: start Open vSwitch')
})

test('what is not judged is neither well nor a failure', () => {
  const lines = printReport(examine(CHECKS, FINE, { ...EXPECTED, cluster: undefined }), PLAIN)
  expect(lines.find((line) => line.startsWith('ranges '))).toContain(' unknown ')
  expect(lines.at(-1)).toBe('26 checks: 1 not judged')
})

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

beforeAll(() => {
  write('etc/systemd/networkd.conf', '[Network]\n# ManageForeignRoutes=no\nManageForeignRoutes=yes\n')
  write('usr/lib/systemd/networkd.conf.d/20-b.conf', '[Network]\nManageForeignRoutes=no\n')
  write('run/systemd/networkd.conf.d/10-a.conf', '[Network]\nManageForeignRoutes=yes\n')
  write('usr/lib/systemd/network/99-default.link', '[Match]\nOriginalName=*\n[Link]\nMACAddressPolicy=persistent\n')
  write('etc/systemd/network/99-default.link', '[Match]\nOriginalName=*\n[Link]\nMACAddressPolicy=none\n')
  write('etc/NetworkManager/NetworkManager.conf', '[keyfile]\nunmanaged-devices=none\n')
  write('etc/NetworkManager/conf.d/weft.conf', '[keyfile]\nunmanaged-devices=interface-name:weft*\n')
  write('cni/20-x.conf', '{"type": "bridge"}')
  write(
    'cni/10-weft.conflist',
    '{"plugins": [{"type": "weft"}, {"type": "portmap", "capabilities": {"portMappings": true}}]}',
  )
  write('cni/30-broken.conf', '{')
  write('cni/README', 'x')
  write('bin/weft', '#!/bin/sh\n')
  write('bin/portmap', '#!/bin/sh\n')
  chmodSync(join(root, 'bin/portmap'), 0o755)
  write('cni/portmap', 'no program')
})

test('files are read in the order and with the precedence of those who own them', () => {
  const routes = networkdConfig(root)
  expect(routes.ok && routes.value.flatMap(({ entries }) => entries.map(([, value]) => value))).toEqual([
    'yes',
    'yes',
    'no',
  ])
  const links = linkFiles(root)
  expect(links.ok && links.value.map(({ sections }) => sections[1]?.entries)).toEqual([[['MACAddressPolicy', 'none']]])
  const manager = networkManagerConfig(root)
  expect(manager.ok && manager.value.at(-1)?.entries).toEqual([['unmanaged-devices', 'interface-name:weft*']])
  const configs = cniConfigs(join(root, 'cni'))
  expect(configs.ok && configs.value).toEqual([
    { name: '10-weft.conflist', types: ['weft', 'portmap'], publishes: true },
    { name: '20-x.conf', types: ['bridge'], publishes: false },
    { name: '30-broken.conf', types: undefined, publishes: false },
  ])
  expect(cniConfigs(join(root, 'nowhere'))).toEqual(yes([]))
  expect(pluginFile(join(root, 'bin'))).toEqual(
    yes({ path: join(root, 'bin/weft'), uid: process.getuid?.() ?? 0, mode: 0o644 }),
  )
  expect(pluginFile(join(root, 'nowhere')).ok).toBe(false)
  for (const [folder, isThere] of [
    ['bin', true],
    ['cni', false],
    ['nowhere', false],
  ] as const) {
    expect(portmapIn(join(root, folder))).toEqual(yes({ folder: join(root, folder), isThere }))
  }
})

test('garbage in configuration files means nothing', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseIni(text)))
  fc.assert(fc.property(fc.string(), fc.string(), (pattern, name) => void matchesGlob(pattern, name)))
  fc.assert(fc.property(fc.string(), (text) => void decodeSocketTable(text)))
})

test('this very host can be looked at', async () => {
  const socket = await Bun.udpSocket({ port: 0, hostname: '127.0.0.1' })
  try {
    const paths = {
      ovsdb: join(root, 'no.sock'),
      ovsRunDir: root,
      cniConfDir: join(root, 'cni'),
      cniBinDir: join(root, 'bin'),
    }
    const facts = await observeHost({ ...paths, root })
    expect(facts.udp.ok && facts.udp.value.find(({ port }) => port === socket.port)?.owner).toMatchObject({
      pid: process.pid,
    })
    expect(facts.links.ok && facts.links.value.some(({ name }) => name === 'lo')).toBe(true)
    expect(facts.sysctls.ipForward.ok).toBe(true)
    expect(facts.ovsdb.ok).toBe(false)
    expect(examine(CHECKS, facts, EXPECTED)).toHaveLength(CHECKS.length)
  } finally {
    socket.close()
  }
})
