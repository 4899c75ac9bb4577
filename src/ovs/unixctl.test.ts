import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type OvsSandbox, startOvsSandbox } from './testing/ovs-sandbox.ts'
import { UnixctlError, unixctl, vswitchdControl } from './unixctl.ts'

let ovs: OvsSandbox

beforeAll(async () => {
  ovs = await startOvsSandbox({ dummy: true })
  await ovs.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=dummy')
})

afterAll(() => ovs?.stop())

test('a command is answered, also while an HTTP server runs in the same program', async () => {
  using server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async () => new Response(await unixctl(ovs.vswitchdCtl, 'ofproto/trace', ['br0', 'in_port=1'])),
  })
  expect(await (await fetch(server.url)).text()).toContain('bridge("br0")')
})

test('a refused command tells why', async () => {
  expect(unixctl(ovs.vswitchdCtl, 'ofproto/trace', ['br0', 'nonsense'])).rejects.toMatchObject({
    code: 'UNIXCTL_REFUSED',
  })
})

test('nobody there', async () => {
  expect(unixctl(`${ovs.dir}/nothing.ctl`, 'version', [])).rejects.toMatchObject({ code: 'UNIXCTL_UNREACHABLE' })
  expect(() => vswitchdControl(`${ovs.dir}/elsewhere`)).toThrow(UnixctlError)
})
