import { beforeEach, expect, test } from 'bun:test'
import type { Pod } from '../network/model/pod.ts'
import { AgentError } from './errors.ts'
import { HostPorts } from './host-ports.ts'

const MISSING = new AgentError('AGENT_HOST_PORTS', '/p/portmap is missing', 'apt-get install it')
const WEB: Pod = {
  namespace: 'shop',
  name: 'web',
  uid: 'u1',
  node: 'node1',
  addresses: [],
  hostPorts: [{ port: 80, protocol: 'TCP' }],
}
const { hostPorts: _, ...WITHOUT } = WEB

let problem: string | undefined
let told: string[]
let ports: HostPorts

beforeEach(() => {
  problem = undefined
  told = []
  ports = new HostPorts({
    node: 'node1',
    problems: {
      failed: (_part, error) => {
        problem = error instanceof Error ? error.message : String(error)
      },
      solved: () => {
        problem = undefined
      },
    },
    notices: { warn: ({ namespace, pod }, reason, text) => void told.push(`${namespace}/${pod} ${reason} ${text}`) },
  })
})

test('a pod that asks in vain is told once, and weft status as long as it is there', () => {
  ports.serve(MISSING)
  expect([problem, told]).toEqual([undefined, []])
  ports.put(WEB)
  const why = '/p/portmap is missing; to do: apt-get install it'
  expect(problem).toBe(`the hostPort of shop/web leads nowhere: ${why}`)
  expect(told).toEqual([`shop/web HostPortNotServed hostPort 80/TCP leads nowhere: ${why}`])
  ports.put({ ...WEB, addresses: ['10.128.0.2' as never] })
  ports.put({ ...WEB, name: 'cart' })
  expect(problem).toContain('shop/web and 1 more')
  expect(told).toHaveLength(2)
  // A later pod of the same name is another one.
  ports.put({ ...WEB, uid: 'u2' })
  expect(told).toHaveLength(3)
  ports.remove('shop/cart')
  ports.put({ ...WITHOUT })
  expect(problem).toBeUndefined()
})

test('nothing is said before it is known whether somebody publishes them, nor where somebody does', () => {
  ports.put(WEB)
  expect([problem, told]).toEqual([undefined, []])
  ports.serve(undefined)
  expect([problem, told]).toEqual([undefined, []])
  ports.serve(MISSING)
  expect(told).toHaveLength(1)
  ports.serve(MISSING)
  expect(told).toHaveLength(1)
  ports.serve(undefined)
  expect(problem).toBeUndefined()
})

test('pods of other nodes and pods without host ports are nobody’s concern', () => {
  ports.serve(MISSING)
  ports.put({ ...WEB, node: 'node2' })
  ports.put(WITHOUT)
  expect([problem, told]).toEqual([undefined, []])
})
