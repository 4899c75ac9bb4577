import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { followSettings } from './follow-settings.ts'

test('a level counts at once, others are told when they do, and nonsense changes nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wefttest-follow-'))
  const file = join(folder, 'weft.yaml')
  const said: string[] = []
  const say = (_: object, text: string): void => void said.push(text)
  const log = { level: 'info', info: say, warn: say }
  const stop = new AbortController()
  writeFileSync(file, '')
  const following = followSettings({
    program: 'agent',
    file,
    settings: {},
    log: log as never,
    signal: stop.signal,
    interval: 5,
  })
  const heard = async (text: string): Promise<void> => {
    for (let i = 0; i < 4_000 && !said.some((line) => line.includes(text)); i += 1) await Bun.sleep(5)
    expect(said.join('\n')).toContain(text)
  }
  try {
    writeFileSync(file, 'log: {level: debug}\nagent: {datapath: netdev}\ncluster: {mtu: 1400}\n')
    await heard('agent.datapath was changed; that counts when the program starts anew')
    expect(log.level).toBe('debug')
    writeFileSync(file, 'log: {level: loud}\n')
    await heard('settings stay as they are')
    expect(log.level).toBe('debug')
    writeFileSync(file, '')
    await heard('log.level was changed')
    await heard('agent.datapath was changed')
    for (let i = 0; i < 4_000 && log.level !== 'info'; i += 1) await Bun.sleep(5)
    expect(log.level).toBe('info')
    // What an agent does not read is none of its business, and a problem is told once.
    expect(said.filter((line) => line.includes('cluster.'))).toEqual([])
    expect(said.filter((line) => line.includes('stay as they are'))).toHaveLength(1)
  } finally {
    stop.abort()
    await following
    rmSync(folder, { recursive: true })
  }
})
