import { afterEach, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { encodeJson } from '../../flow/json.ts'
import { InsightError } from '../errors.ts'
import { serveAgent } from '../testing/agent-double.ts'
import { sampleView } from '../testing/sample-facts.ts'
import { AgentClient } from './agent-client.ts'
import { gather } from './gather.ts'
import { factsFrom } from './shape.ts'
import { agentSockets } from './sockets.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'weft-insight-'))
  cleanups.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function serve(path: string, answer: (path: string) => Response): void {
  const server = serveAgent(path, answer)
  cleanups.push(() => server.stop(true))
}

describe('where agents are found', () => {
  test('an agent’s folder', () => {
    const runDir = folder()
    writeFileSync(join(runDir, 'agent.sock'), '')
    expect(agentSockets(runDir)).toEqual({
      agents: [{ path: join(runDir, 'agent.sock'), node: undefined }],
      registry: undefined,
    })
  })

  test('a playground’s folder: every node, running or not', () => {
    const runDir = folder()
    for (const name of ['node2/agent', 'node1/agent', 'pods', 'log']) mkdirSync(join(runDir, name), { recursive: true })
    writeFileSync(join(runDir, 'registry.sock'), '')
    const { agents, registry } = agentSockets(runDir)
    expect(agents.map(({ node }) => node)).toEqual(['node1', 'node2'])
    expect(registry).toEqual({ kind: 'socket', path: join(runDir, 'registry.sock') })
  })

  test('a playground’s folder: its API server', () => {
    const runDir = folder()
    mkdirSync(join(runDir, 'node1', 'agent'), { recursive: true })
    expect(agentSockets(runDir).registry).toBeUndefined()
    writeFileSync(join(runDir, 'kubeconfig'), '')
    expect(agentSockets(runDir).registry).toEqual({ kind: 'kubeconfig', file: join(runDir, 'kubeconfig') })
    const named = { kind: 'kubeconfig', file: '/etc/other' } as const
    expect(agentSockets(runDir, named).registry).toEqual(named)
  })

  test('nothing there', () => {
    const runDir = folder()
    expect(() => agentSockets(runDir)).toThrow(expect.objectContaining({ code: 'INSIGHT_AGENT_NOT_RUNNING' }))
  })
})

describe('asking agents', () => {
  test('who answers is told, who does not is named', async () => {
    const runDir = folder()
    const [first] = sampleView().nodes
    for (const name of ['node1', 'node2']) mkdirSync(join(runDir, name, 'agent'), { recursive: true })
    serve(join(runDir, 'node1', 'agent', 'agent.sock'), () => new Response(encodeJson(first)))
    const { view, agents } = await gather({
      ...agentSockets(runDir),
      registry: { kind: 'socket', path: join(runDir, 'registry.sock') },
    })
    expect(view.nodes).toEqual(first === undefined ? [] : [first])
    expect(view.silent.map(({ name }) => name)).toEqual(['node2'])
    expect(view.registryProblem).toContain('nothing answers')
    expect([...agents.keys()]).toEqual(['node1'])
  })

  test('an agent that has no facts yet tells its status', async () => {
    const path = join(folder(), 'agent.sock')
    const status = { ...sampleView().nodes[0]?.status, ready: false, waitingFor: ['a range'] }
    serve(path, (asked) =>
      asked === '/status'
        ? new Response(encodeJson(status))
        : new Response('{"message":"it waits for a range","remedy":"see weft status"}', { status: 500 }),
    )
    const { view } = await gather({ agents: [{ path, node: undefined }], registry: undefined })
    expect(view.nodes).toEqual([])
    expect(view.silent).toMatchObject([
      { name: 'node1', remedy: 'see weft status', status: { waitingFor: ['a range'] } },
    ])
  })

  test('nobody answers', async () => {
    const path = join(folder(), 'agent.sock')
    await expect(gather({ agents: [{ path, node: undefined }], registry: undefined })).rejects.toMatchObject({
      code: 'INSIGHT_AGENT_UNREACHABLE',
    })
  })

  test('answers that are none have a code', async () => {
    const path = join(folder(), 'agent.sock')
    const answers: (readonly [string, () => Response])[] = [
      ['INSIGHT_AGENT_ANSWER', () => new Response('<html>')],
      ['INSIGHT_AGENT_ANSWER', () => new Response('{"status":{}}')],
      ['INSIGHT_AGENT_ANSWER', () => new Response('')],
      ['INSIGHT_AGENT_REFUSED', () => new Response('no such resource', { status: 404 })],
      ['INSIGHT_AGENT_REFUSED', () => new Response('{"message":"no"}', { status: 500 })],
    ]
    let current: () => Response = () => new Response()
    serve(path, () => current())
    const client = new AgentClient({ path, node: 'n' })
    for (const [code, answer] of answers) {
      current = answer
      for (const call of [
        () => client.facts(),
        () => client.drops(),
        () => client.ofprotoTrace(''),
        () => client.repair([]),
      ]) {
        await expect(call()).rejects.toMatchObject({ code })
      }
    }
  })

  test('an agent that never answers is unreachable', async () => {
    const path = join(folder(), 'agent.sock')
    const server = Bun.serve({ unix: path, fetch: () => new Promise<Response>(() => undefined) })
    cleanups.push(() => server.stop(true))
    await expect(new AgentClient({ path, node: 'n' }, 50).facts()).rejects.toMatchObject({
      code: 'INSIGHT_AGENT_UNREACHABLE',
    })
  })
})

test('no answer is too strange: it fits or is refused with a code', () => {
  fc.assert(
    fc.property(fc.anything(), (answer) => {
      try {
        factsFrom(answer, 'n')
      } catch (error) {
        expect(error).toBeInstanceOf(InsightError)
      }
    }),
  )
})

test('facts with a piece missing are refused by the name of the piece', () => {
  const [first] = sampleView().nodes
  for (const key of ['leases', 'fragments', 'installed', 'cluster', 'self', 'ports', 'links', 'tenants']) {
    expect(() => factsFrom({ ...first, [key]: undefined }, 'n')).toThrow(`(.${key})`)
  }
})
