/**
 * Stands in for an agent's socket where a test needs answers that a real agent cannot be asked for.
 * @module
 */

/** Serves what `answer` gives for a request, until stopped. */
export function serveAgent(socket: string, answer: (path: string, request: Request) => Response | Promise<Response>) {
  return Bun.serve({ unix: socket, fetch: (request) => answer(new URL(request.url).pathname, request) })
}
