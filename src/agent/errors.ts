/**
 * Errors of the agent that are no call of a container runtime's fault: they stop it, or keep it from being ready.
 * @module
 */

/** An error with a stable code, its cause in words, and what to do. */
export class AgentError extends Error {
  readonly code: string
  readonly remedy: string

  constructor(code: `AGENT_${string}`, message: string, remedy: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'AgentError'
    this.code = code
    this.remedy = remedy
  }
}
