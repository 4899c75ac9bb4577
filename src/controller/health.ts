/**
 * How a controller does, for whoever asks on its own socket: `GET /health` as JSON.
 * @module
 */
import { type PrivateServer, servePrivately } from '../registry/socket.ts'

/** How a controller does. One that waits for its turn is well: it is ready to take over. */
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
