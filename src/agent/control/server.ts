/**
 * The agent's own socket, for `weft status`, `drops`, `trace` and `audit`: HTTP and JSON over a unix socket that only
 * its owner may open.
 * @module
 */
import { decodeJson, encodeJson, JsonError } from '../../flow/json.ts'
import { type PrivateServer, servePrivately } from '../../registry/socket.ts'
import { AgentError } from '../errors.ts'
import type { LimitFact } from '../qos/limiter.ts'
import type { AgentHealth, AgentStatus, DropFlow, NodeFacts } from './facts.ts'

/** What the agent can tell and do. */
export interface Control {
  status(): AgentStatus
  health(): Promise<AgentHealth>
  facts(): Promise<NodeFacts>
  /** Drop flows with their counters. */
  drops(): Promise<readonly DropFlow[]>
  /** Endpoints that are limited or should be, as the kernel has them. */
  bandwidth(): readonly LimitFact[]
  /** What OVS itself says about a packet. */
  ofprotoTrace(flow: string): Promise<string>
  /** Carries out a repair plan; resolves with what was done, step by step. */
  repair(plan: unknown): Promise<unknown>
}

/** What can be told and done, or what an agent that is starting waits for. */
export type ControlSource = () => Control | { readonly waitingFor: string }

const MAX_BODY = 1 << 20

/** Serves a control socket until stopped. Throws where the socket cannot be had. */
export function serveControl(path: string, source: ControlSource): Promise<PrivateServer> {
  return servePrivately(path, {
    maxRequestBodySize: MAX_BODY,
    fetch: (request) => answer(source(), request),
    error: (error) => failure(error),
  })
}

async function answer(control: ReturnType<ControlSource>, request: Request): Promise<Response> {
  if ('waitingFor' in control) return starting(control.waitingFor, request)
  try {
    switch (`${request.method} ${new URL(request.url).pathname}`) {
      case 'GET /status':
        return json(control.status())
      case 'GET /health':
        return json(await control.health())
      case 'GET /facts':
        return json(await control.facts())
      case 'GET /drops':
        return json(await control.drops())
      case 'GET /bandwidth':
        return json(control.bandwidth())
      case 'POST /ofproto-trace':
        return json({ text: await control.ofprotoTrace(textField(decodeJson(await request.text()), 'flow')) })
      case 'POST /repair':
        return json(await control.repair(decodeJson(await request.text())))
      default:
        return new Response('no such resource\n', { status: 404 })
    }
  } catch (error) {
    return failure(error, isFaultOfTheCaller(error) ? 400 : 500)
  }
}

/** That it lives can be asked of an agent from its first moment on: probes would end it otherwise. */
function starting(waitingFor: string, request: Request): Response {
  if (new URL(request.url).pathname === '/health') return json({ ready: false, waitingFor: [waitingFor] })
  return failure(new AgentError('AGENT_STARTING', `the agent waits for ${waitingFor}`, 'start that'), 503)
}

function isFaultOfTheCaller(error: unknown): boolean {
  return error instanceof JsonError || (error instanceof AgentError && error.code === 'AGENT_REQUEST')
}

function json(value: unknown): Response {
  return new Response(encodeJson(value), { headers: { 'content-type': 'application/json' } })
}

function failure(error: unknown, status = 500): Response {
  const { message, code, remedy } = describe(error)
  return new Response(encodeJson({ code, message, remedy }), {
    status,
    headers: { 'content-type': 'application/json' },
  })
}

function describe(error: unknown): { readonly message: string; readonly code: string; readonly remedy: string } {
  if (!(error instanceof Error)) return { message: String(error), code: 'AGENT_INTERNAL', remedy: '' }
  const { code, remedy } = error as { readonly code?: unknown; readonly remedy?: unknown }
  return {
    message: error.message,
    code: typeof code === 'string' ? code : 'AGENT_INTERNAL',
    remedy: typeof remedy === 'string' ? remedy : 'see the log of the agent',
  }
}

function textField(body: unknown, name: string): string {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined
  if (typeof value === 'string') return value
  throw new AgentError('AGENT_REQUEST', `the request body needs the text field ${name}`, 'send it as JSON')
}
