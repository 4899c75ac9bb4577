/**
 * How a controller does, for whoever asks on its own socket: `GET /health` as JSON.
 * @module
 */
import { type PrivateServer, servePrivately } from '../registry/socket.ts'

/** What a controller is doing. */
export type Standing =
  /** Deciding; `hasRead`: it has read the cluster. */
  | { readonly does: 'lead'; readonly hasRead: boolean }
  /** Waiting for its turn while somebody holds the lease: itself between two terms, another one, or nobody (empty). */
  | { readonly does: 'wait'; readonly holder: string; readonly identity: string }

/**
 * How a controller in that state does. One that waits for its turn is well as long as another one is known to lead: then
 * it reaches the API server, and is ready to take over.
 */
export function healthOf(state: Standing): ControllerHealth {
  const leading = state.does === 'lead'
  const ready = leading ? state.hasRead : state.holder !== '' && state.holder !== state.identity
  const missing = leading ? 'the cluster to be read' : 'the election'
  return { ready, leading, waitingFor: ready ? [] : [missing] }
}

/** How a controller does. */
export interface ControllerHealth {
  readonly ready: boolean
  /** Whether it is the one that decides. */
  readonly leading: boolean
  /** What is missing, for people. */
  readonly waitingFor: readonly string[]
}

/** Serves until stopped. Throws where the socket cannot be had. */
export function serveHealth(path: string, health: () => ControllerHealth): Promise<PrivateServer> {
  return servePrivately(path, {
    fetch: (request) =>
      `${request.method} ${new URL(request.url).pathname}` === 'GET /health'
        ? Response.json(health())
        : new Response('no such resource\n', { status: 404 }),
  })
}
