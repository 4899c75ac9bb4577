import { beforeEach, expect, test } from 'bun:test'
import { SAMPLE_CLUSTER, samplePlanner } from '../../test/tables/sample-node.ts'
import type { Cluster } from '../network/model/cluster.ts'
import type { Pod } from '../network/model/pod.ts'
import { AgentError } from './errors.ts'
import { HostPorts, takenIn } from './host-ports.ts'

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
/** Of which ports it was asked whose they are. */
let asked: number[]

beforeEach(() => {
  problem = undefined
  told = []
  asked = []
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
    taken: () => (port) => {
      asked.push(port.port)
      return port.port === 4789 ? 'the tunnels' : undefined
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

test('a port that is somebody’s already leads nowhere, also where ports are published', () => {
  ports.serve(undefined)
  ports.put({ ...WEB, hostPorts: [...(WEB.hostPorts ?? []), { port: 4789, protocol: 'UDP' }] })
  expect(told).toEqual([
    'shop/web HostPortNotServed hostPort 4789/UDP leads nowhere: it belongs to the tunnels; to do: choose another port',
  ])
  expect(problem).toContain('shop/web leads nowhere: it belongs to the tunnels')
  // Another reason is another matter, and the old one again is, too.
  for (const unserved of [MISSING, MISSING, undefined, undefined]) ports.serve(unserved)
  expect(told).toHaveLength(3)
})

test('a change of one pod looks at its ports alone, however many pods ask', () => {
  ports.serve(undefined)
  const pods = [81, 82, 83].map(
    (port) => ({ ...WEB, name: `web${port}`, hostPorts: [{ port, protocol: 'TCP' }] }) as const,
  )
  for (const pod of pods) ports.put(pod)
  expect(asked).toEqual([81, 82, 83])
  ports.remove('shop/web82')
  expect(asked).toHaveLength(3)
})

test('ports of tunnels and of published services are taken, by their protocol', () => {
  const planner = samplePlanner()
  const nodePort = { port: 30080, protocol: 'TCP' } as const
  const view = (change: Partial<Cluster> = {}) => ({
    cluster: { ...SAMPLE_CLUSTER, ...change },
    planner: Object.create(planner, { catalogue: { value: { nodePorts: () => [nodePort] } } }),
  })
  const taken = (change: Partial<Cluster>, port: number, protocol: 'TCP' | 'UDP') =>
    takenIn(view(change))({ port, protocol }) !== undefined
  expect([taken({}, 4789, 'UDP'), taken({}, 4789, 'TCP'), taken({}, 4788, 'UDP')]).toEqual([true, false, false])
  expect(taken({ encapsulation: { type: 'gre' } }, 4789, 'UDP')).toBe(false)
  expect([taken({}, 30080, 'TCP'), taken({}, 30080, 'UDP')]).toEqual([true, false])
  expect(taken({ services: 'kube-proxy' }, 30080, 'TCP')).toBe(false)
  expect(takenIn({ cluster: undefined, planner: undefined })(nodePort)).toBeUndefined()
})
