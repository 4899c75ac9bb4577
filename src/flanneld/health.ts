/**
 * Where a kubelet asks how the daemon is, as flannel has it: `/healthz` while it runs, `/readyz` when its network works.
 * @module
 */

/** A server that answers. */
export interface HealthServer {
  stop(): Promise<void>
}

/** Serves on an address and a port until it is stopped. Throws what the system says where the port is taken. */
export function serveHealth(hostname: string, port: number, isReady: () => boolean): HealthServer {
  const server = Bun.serve({
    hostname,
    port,
    fetch: (request) => {
      const { pathname } = new URL(request.url)
      if (pathname === '/healthz') return new Response('flanneld is running\n')
      if (pathname !== '/readyz') return new Response('there is /healthz and /readyz\n', { status: 404 })
      return isReady() ? new Response('ready\n') : new Response('not ready\n', { status: 503 })
    },
  })
  return { stop: () => server.stop(true) }
}
