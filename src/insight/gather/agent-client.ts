/**
 * Asks one agent, over HTTP on its unix socket.
 * @module
 */
import type { AgentStatus, DropFlow, NodeFacts } from '../../agent/control/facts.ts'
import type { LimitFact } from '../../agent/qos/limiter.ts'
import { decodeJson, encodeJson } from '../../flow/json.ts'
import type { RepairAnswer, RepairStep } from '../audit/repair.ts'
import { InsightError } from '../errors.ts'
import { factsFrom, flowsFrom, limitsFrom, repairAnswerFrom, statusFrom } from './shape.ts'
import type { AgentSocket } from './sockets.ts'

/** An answer that takes longer is none. */
const DEADLINE = 10_000

/** Asks one agent. Every call may throw an {@link InsightError}. */
export class AgentClient {
  readonly #socket: AgentSocket
  readonly #deadline: number

  constructor(socket: AgentSocket, deadline = DEADLINE) {
    this.#socket = socket
    this.#deadline = deadline
  }

  /** For people: the node, else the socket. */
  get name(): string {
    return this.#socket.node ?? this.#socket.path
  }

  async facts(): Promise<NodeFacts> {
    return factsFrom(await this.#call('GET', '/facts'), this.name)
  }

  /** What it says of itself: also while it has no facts to tell yet. */
  async status(): Promise<AgentStatus> {
    return statusFrom(await this.#call('GET', '/status'), this.name)
  }

  /** The flows that drop, with their counters. */
  async drops(): Promise<readonly DropFlow[]> {
    return flowsFrom(await this.#call('GET', '/drops'), this.name)
  }

  /** Endpoints that are limited or should be. */
  async bandwidth(): Promise<readonly LimitFact[]> {
    return limitsFrom(await this.#call('GET', '/bandwidth'), this.name)
  }

  /** What `ofproto/trace` on the agent's bridge says about a packet written as ovs-ofctl does. */
  async ofprotoTrace(flow: string): Promise<string> {
    const answer = await this.#call('POST', '/ofproto-trace', { flow })
    if (typeof answer === 'object' && answer !== null && 'text' in answer && typeof answer.text === 'string') {
      return answer.text
    }
    throw new InsightError('INSIGHT_AGENT_ANSWER', `${this.name} gave no trace`, 'use a weft of the agent’s version')
  }

  async repair(plan: readonly RepairStep[]): Promise<RepairAnswer> {
    return repairAnswerFrom(await this.#call('POST', '/repair', { plan }), this.name)
  }

  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await this.#fetch(method, path, body)
    const text = await response.text().catch((cause: unknown) => {
      throw this.#unreachable(cause)
    })
    if (response.ok) return this.#decode(text)
    const { message, remedy } = refusalFrom(text, response.status)
    throw new InsightError('INSIGHT_AGENT_REFUSED', `the agent of ${this.name} refused ${path}: ${message}`, remedy)
  }

  #decode(text: string): unknown {
    try {
      return decodeJson(text)
    } catch (cause) {
      const message = `the agent of ${this.name} answered with something that is not JSON`
      throw new InsightError('INSIGHT_AGENT_ANSWER', message, 'use a weft of the agent’s version', { cause })
    }
  }

  async #fetch(method: string, path: string, body: unknown): Promise<Response> {
    try {
      return await fetch(`http://agent${path}`, {
        method,
        unix: this.#socket.path,
        signal: AbortSignal.timeout(this.#deadline),
        ...(body === undefined ? {} : { body: encodeJson(body), headers: { 'content-type': 'application/json' } }),
      })
    } catch (cause) {
      throw this.#unreachable(cause)
    }
  }

  #unreachable(cause: unknown): InsightError {
    return new InsightError(
      'INSIGHT_AGENT_UNREACHABLE',
      `no agent answers at ${this.#socket.path}`,
      'start it, or see its log if it should be running',
      { cause },
    )
  }
}

/** Cause and remedy of a refusal, which may come from something that is no agent. */
function refusalFrom(text: string, status: number): { readonly message: string; readonly remedy: string } {
  const refusal = { message: `HTTP ${status}`, remedy: 'see its log' }
  try {
    const answer = decodeJson(text)
    if (typeof answer !== 'object' || answer === null) return refusal
    for (const key of ['message', 'remedy'] as const) {
      const told: unknown = Reflect.get(answer, key)
      if (typeof told === 'string' && told !== '') refusal[key] = told.slice(0, 300)
    }
  } catch {
    // Not JSON: the status has to do.
  }
  return refusal
}
