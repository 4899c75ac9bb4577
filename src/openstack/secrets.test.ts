/** Whoever answers may repeat what it was told. None of it may be seen in an error. */
import { afterEach, expect, test } from 'bun:test'
import { FakeCloud, PASSWORD } from './testing/fake-cloud.ts'

const TOKEN = 'gAAAAABvellum_marble-cobalt'
const PIECES = ['zebra', 'hornet', 'quartz', 'vellum', 'marble', 'cobalt']
const STATUSES = [200, 201, 204, 300, 301, 400, 401, 403, 404, 409, 412, 418, 429, 500, 501, 503]

const ECHOES: readonly (readonly [string, (told: string) => string])[] = [
  ['as it is', (told) => told],
  [
    'as an error of Neutron',
    (message) => JSON.stringify({ NeutronError: { type: message, message, detail: message } }),
  ],
  ['as a known error of Neutron', (message) => JSON.stringify({ NeutronError: { type: 'OverQuota', message } })],
  ['as an error of Keystone', (message) => JSON.stringify({ error: { code: message, title: message, message } })],
  ['as a port', (id) => JSON.stringify({ port: { id, mac_address: id }, ports: [{ id }], ports_links: id })],
  ['as a token', (id) => JSON.stringify({ token: { expires_at: id, issued_at: id, catalog: id, project: { id } } })],
  [
    'as a catalogue',
    (url) =>
      JSON.stringify({
        token: { catalog: [{ type: 'network', endpoints: [{ interface: url, region_id: url, region: url, url }] }] },
      }),
  ],
]

const running: FakeCloud[] = []
afterEach(async () => {
  for (const cloud of running.splice(0)) await cloud.stop()
})

test.each(ECHOES)('what was told and comes back %s is in no error', async (_, echo) => {
  for (const status of STATUSES) {
    for (const by of ['keystone', 'neutron'] as const) {
      const reply = async (request: Request): Promise<Response> => {
        const told = `${request.headers.get('x-auth-token') ?? ''}${passwordIn(await request.text())}`
        const headers = {
          'x-subject-token': told,
          location: `/${told}`,
          'x-openstack-request-id': told,
          'retry-after': '0',
        }
        return new Response(status === 204 ? null : echo(told), { status, headers })
      }
      const cloud: FakeCloud = new FakeCloud(
        by === 'keystone' ? { keystone: reply } : { keystone: () => cloud.token(TOKEN), neutron: reply },
      )
      running.push(cloud)
      const client = cloud.client({ limits: { attempts: 2 } })
      const spec = { networkId: 'net', name: 'weft' }
      const calls = [
        client.ports.get('port'),
        client.ports.create(spec),
        client.ports.list({ name: 'a' }),
        client.extensions(),
      ]
      for (const outcome of await Promise.allSettled([
        ...calls,
        client.ports.delete('port'),
        client.quotas.get('project'),
      ])) {
        if (outcome.status === 'rejected') expect(revealedBy(outcome.reason)).toEqual([])
      }
    }
  }
})

function passwordIn(body: string): string {
  return body.includes(PASSWORD) ? PASSWORD : ''
}

/** Pieces of secrets in all that a log could hold of an error. */
function revealedBy(error: unknown): readonly string[] {
  const { cause, message, stack, ...rest } = error as Error & Record<string, unknown>
  const said = [Bun.inspect(error, { depth: 9 }), JSON.stringify({ ...rest, message, stack }), String(cause)].join('\n')
  return PIECES.filter((piece) => said.includes(piece))
}
