import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const MAIN = join(import.meta.dir, '../../main.ts')
const runDir = mkdtempSync(join(tmpdir(), 'weft-health-'))
afterAll(() => rmSync(runDir, { recursive: true, force: true }))

test.each([
  ['agent', 'the agent does not answer at ', /^start weft agent, or name its folder: --run-dir; a playground/],
  ['controller', 'the controller does not answer at ', /^start weft controller, or name its folder: --run-dir$/],
])('nobody answers for the %s: told as every error is', async (daemon, cause, remedy) => {
  const { code, stdout, stderr } = await health(daemon)
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
  expect(stderr).toStartWith(`weft: ${cause}${runDir}/${daemon}.sock → start weft ${daemon}`)
  const { error } = JSON.parse((await health(daemon, '--json')).stdout)
  expect(error).toEqual(expect.objectContaining({ code: 'CLI_NOT_RUNNING', remedy: expect.stringMatching(remedy) }))
})

test.each([
  [{ ready: true, waitingFor: [] }, [], 0, 'the controller is ready\n'],
  [{ ready: false, waitingFor: ['the election'] }, [], 1, 'the controller waits for the election\n'],
  [{ ready: false, waitingFor: ['the election'] }, ['--live'], 0, 'the controller waits for the election\n'],
  [{ ready: true, waitingFor: [] }, ['--json'], 0, '{"ready":true,"waitingFor":[]}\n'],
] as const)('what it says, %p %p', async (answer, options, code, stdout) => {
  const server = Bun.serve({ unix: `${runDir}/controller.sock`, fetch: () => Response.json(answer) })
  try {
    expect(await health('controller', ...options)).toEqual({ code, stdout, stderr: '' })
  } finally {
    await server.stop(true)
  }
})

async function health(...args: readonly string[]) {
  const command = [process.execPath, MAIN, 'health', ...args, '--run-dir', runDir]
  const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'pipe' })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, stdout, stderr }
}
