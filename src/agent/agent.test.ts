import { expect, test } from 'bun:test'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryRegistry } from '../registry/memory.ts'
import { runAgent } from './agent.ts'
import { AGENT_DEFAULTS } from './options.ts'

test('an agent that waits for Open vSwitch lives, is not ready, and says what for', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wefttest-agent-'))
  const stop = new AbortController()
  const [runDir, ovsdb] = [join(folder, 'run'), join(folder, 'db.sock')]
  const options = { ...AGENT_DEFAULTS, node: 'node1', runDir, ovsdb, ovsRunDir: folder, datapath: 'netdev' } as const
  const quiet = (): void => undefined
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }
  const running = runAgent(options, new MemoryRegistry(), log, stop.signal)
  const socket = join(runDir, 'agent.sock')
  const ask = (path: string): Promise<Response> => fetch(`http://agent${path}`, { unix: socket })
  try {
    while (!existsSync(socket)) await Bun.sleep(5)
    const waitingFor = expect.stringContaining(`ovsdb-server does not answer at ${ovsdb}`)
    expect(await (await ask('/health')).json()).toEqual({ ready: false, waitingFor: [waitingFor] })
    const status = await ask('/status')
    expect(status.status).toBe(503)
    expect(await status.json()).toMatchObject({ code: 'AGENT_STARTING', message: waitingFor })
  } finally {
    stop.abort()
    await running
    rmSync(folder, { recursive: true })
  }
  expect(existsSync(socket)).toBe(false)
})
