import { afterEach, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BgpSession } from '../../network/fabric/bgp/session.ts'
import { ip } from '../../network/model/address.ts'
import { readPasswords } from './passwords.ts'
import { longDown, SessionStates } from './sessions.ts'

const SESSION: BgpSession = {
  name: 'node4_192_0_2_2',
  family: 4,
  kind: 'node',
  node: 'n2',
  local: { address: ip('192.0.2.1'), asNumber: 64_512 },
  remote: { address: ip('192.0.2.2'), asNumber: 64_512 },
  isPassive: false,
  isConnected: true,
  nextHop: 'auto',
  tells: 'own',
  isReflected: false,
  bfd: false,
  filters: [],
}
/** As a BIRD in the zone of this machine writes it. */
const AT_NOON = new Date(2026, 2, 1, 12, 0, 0).getTime()
const folders: string[] = []
const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'wefttest-bgp-'))
  folders.push(folder)
  return folder
}

/** A control socket that answers every command with these lines. */
async function socketSaying(lines: () => readonly string[]): Promise<{ readonly path: string }> {
  const path = join(newFolder(), 'ctl')
  const server = createServer((socket) => {
    socket.write('0001 BIRD 2.0.12 ready.\n')
    socket.on('data', () => socket.write(`${lines().join('\n')}\n0000 \n`))
    socket.on('error', () => undefined)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return { path }
}

function said(state: string, since: string, error?: string): readonly string[] {
  return [
    '2002-Name       Proto      Table      State  Since         Info',
    `1002-node4_192_0_2_2 BGP        ---        ${state === 'Established' ? 'up' : 'start'}     ${since}  ${state}`,
    `1006-  BGP state:          ${state}`,
    '     Neighbor address: 192.0.2.2',
    ...(error === undefined ? [] : [`     Last error:       ${error}`]),
    '   Channel ipv4',
    '     State:          UP',
    '     Routes:         3 imported, 1 exported, 3 preferred',
  ]
}

describe('the state of a session', () => {
  test('is what BIRD says, and down since it was first seen so', async () => {
    let [now, lines] = [AT_NOON, said('Established', '2026-03-01 11:59:30')]
    const control = await socketSaying(() => lines)
    const states = new SessionStates(() => now)
    const noon = AT_NOON / 1000
    expect(await states.look(control, [SESSION])).toMatchObject([
      { node: 'n2', state: 'Established', isUp: true, since: noon - 30, routes: { imported: 3, exported: 1 } },
    ])
    lines = said('Active', '2026-03-01 12:00:00', 'Socket: Connection refused')
    expect(await states.look(control, [SESSION])).toMatchObject([
      { state: 'Active', isUp: false, since: noon, error: 'Socket: Connection refused' },
    ])
    // BIRD tries again and counts anew.
    now += 90_000
    lines = said('Connect', '2026-03-01 12:01:25')
    expect(await states.look(control, [SESSION])).toMatchObject([{ isUp: false, since: noon }])
  })

  test('is down where BIRD does not answer, or does not know it', async () => {
    const states = new SessionStates(() => AT_NOON)
    expect(await states.look({ path: '/nonexistent/ctl' }, [SESSION])).toMatchObject([{ isUp: false }])
    const control = await socketSaying(() => [])
    expect(await states.look(control, [SESSION])).toMatchObject([{ isUp: false }])
  })

  test('tells whether the other end answers to BFD, where it is asked', async () => {
    let word = 'Up'
    const control = await socketSaying(() => [
      ...said('Established', '2026-03-01 11:59:30'),
      '1020-IP address                Interface  State      Since         Interval  Timeout',
      ` 192.0.2.2                 ---        ${word}         2026-03-01 11:59:31    0.300    0.900`,
    ])
    const states = new SessionStates(() => AT_NOON)
    const watched = { ...SESSION, bfd: true }
    expect(await states.look(control, [watched])).toMatchObject([{ bfd: 'up' }])
    word = 'Down'
    expect(await states.look(control, [watched])).toMatchObject([{ bfd: 'down' }])
    expect((await states.look(control, [SESSION]))[0]?.bfd).toBeUndefined()
  })

  test('is a problem after a minute, told for the first few', async () => {
    const states = new SessionStates(() => AT_NOON)
    const many = ['2', '3', '4', '5', '6'].map((last) => ({ ...SESSION, name: last, node: `n${last}` }))
    const facts = await states.look({ path: '/nonexistent/ctl' }, many)
    expect(longDown(facts, AT_NOON / 1000 + 60)).toBeUndefined()
    const sentence = longDown(facts, AT_NOON / 1000 + 150) ?? ''
    expect(sentence).toContain('with n2 (192.0.2.2) for 2 min')
    expect(sentence).toEndWith(', and 2 more')
  })
})

test('passwords are files below one folder, and nowhere else', () => {
  const folder = newFolder()
  const passwords = join(folder, 'passwords')
  mkdirSync(join(passwords, 'bgp'), { recursive: true })
  writeFileSync(join(passwords, 'bgp/router'), 'geheim\n')
  writeFileSync(join(folder, 'other'), 'not this')
  const found = readPasswords(passwords, ['bgp/router', 'bgp/absent', '../other', 'bgp/../../other', 'bgp', undefined])
  expect([...found]).toEqual([['bgp/router', 'geheim']])
})
