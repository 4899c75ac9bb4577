/**
 * A server for a test, and calls on it.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cidr } from '../../../network/model/address.ts'
import { type ApiServer, type ApiServerOptions, serveApi } from '../serve.ts'
import { standIns } from './stand-ins.ts'

/** Anything JSON: tests look into it. */
// biome-ignore lint/suspicious/noExplicitAny: what a test asserts about is checked by the assertion.
export type Json = any

/** An answer. */
export interface Answer {
  readonly status: number
  readonly body: Json
}

/** A server and how to call it. */
export interface TestServer {
  readonly dir: string
  readonly server: ApiServer
  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** Opens a watch. */
  watch(path: string): Promise<TestWatch>
  stop(): Promise<void>
}

/** A watch being read. */
export interface TestWatch {
  /** The next event; undefined when it is over. */
  next(): Promise<Json>
  /** Everything until it is over. */
  rest(): Promise<readonly Json[]>
  end(): void
}

const NETWORKS = [cidr('10.96.0.0/16'), cidr('fd00:96::/112')]

/** Starts a server in a new folder, or in that of an earlier one. */
export async function startServer(options: Partial<ApiServerOptions> = {}): Promise<TestServer> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'wefttest-apiserver-'))
  const server = await serveApi({ formats: standIns, serviceNetworks: NETWORKS, tls: false, ...options, dir })
  const tls = server.ca === undefined ? {} : { tls: { ca: server.ca } }
  const authorization = `Bearer ${server.tokenOf('admin')}`
  return {
    dir,
    server,
    call: async (method, path, body, headers = {}) => {
      const response = await fetch(server.url + path, {
        ...tls,
        method,
        headers: { authorization, 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, body: parsed(text) }
    },
    watch: async (path) => {
      const ending = new AbortController()
      const response = await fetch(server.url + path, { ...tls, headers: { authorization }, signal: ending.signal })
      return readWatch(response, () => ending.abort())
    },
    stop: async () => {
      await server.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** Calls until the answer is as wanted; the test's own time limit ends it. */
export async function eventually<T>(ask: () => Promise<T>, isWanted: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (isWanted(answer)) return answer
    await Bun.sleep(5)
  }
}

export const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
export const PODS = '/api/v1/namespaces/default/pods'
export const MERGE = { 'content-type': 'application/merge-patch+json' }

function readWatch(response: Response, end: () => void): TestWatch {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  const lines: string[] = []
  let rest = ''
  const next = async (): Promise<Json> => {
    while (lines.length === 0) {
      const chunk = await reader?.read()
      if (chunk === undefined || chunk.done) return undefined
      const parts = (rest + chunk.value).split('\n')
      rest = parts.pop() ?? ''
      lines.push(...parts.filter((line) => line !== ''))
    }
    return JSON.parse(lines.shift() ?? '')
  }
  const readRest = async (): Promise<readonly Json[]> => {
    const events: Json[] = []
    for (let event = await next(); event !== undefined; event = await next()) events.push(event)
    return events
  }
  return { next, rest: readRest, end }
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
