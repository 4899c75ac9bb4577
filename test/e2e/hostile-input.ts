/**
 * Malformed and hostile input at every door of the agent: the plugin's environment and standard input, both sockets.
 * Each gets the specified error, changes nothing, and the agent lives.
 * @module
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { join } from 'node:path'
import { AF_UNIX, callSeqpacket, closeFd, encodeSockaddr, openSocket, systemCalls } from '../../src/linux/index.ts'
import { SOCK_SEQPACKET, SOCK_STREAM } from '../../src/linux/socket.ts'
import { eventually, type Inventory, type Lab } from '../lab/lab.ts'
import { Container, errorOf } from '../lab/plugin.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

const AGENT = 'node1-agent'
const IDLE_CONNECTIONS = 200

export const hostileInput: Scenario = {
  name: 'hostile-input',
  lab: { nodes: 1 },
  steps: [
    {
      title: 'malformed standard input and environment get the specified code',
      run: (context) => unharmed(context, plugin),
    },
    { title: 'garbage on cni.sock is answered or dropped', run: (context) => unharmed(context, cniSocket) },
    { title: 'garbage on agent.sock is answered or dropped', run: (context) => unharmed(context, agentSocket) },
    {
      title: `${IDLE_CONNECTIONS} idle connections on either socket keep nobody out`,
      run: (context) => unharmed(context, idle),
    },
    { title: 'weft audit is clean', run: async ({ lab, say }) => say(await lab.expectCleanAudit()) },
  ],
}

/** Runs an attack; the same agent goes on, holds what it held, and serves. */
async function unharmed(context: StepContext, attack: (context: StepContext) => Promise<void>): Promise<void> {
  const { lab } = context
  const [pid, before] = [lab.pidOf(AGENT), await lab.inventory(1)]
  await attack(context)
  equal(lab.pidOf(AGENT), pid)
  deepEqual(await lab.inventory(1), before)
  await serves(lab, before)
}

async function serves(lab: Lab, before: Inventory): Promise<void> {
  const container = new Container(lab, 'works').create()
  try {
    await container.add()
    await container.del()
    await eventually('nothing is left', async () => JSON.stringify(await lab.inventory(1)) === JSON.stringify(before))
  } finally {
    container.remove()
  }
}

const GOOD = '{"cniVersion":"1.0.0","name":"e2e","type":"weft","namespace":"shop"}'
const DEEP = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`

/** What is said, and the code that the specification has for it. */
const CALLS: readonly (readonly [
  code: number,
  what: string,
  input: string | Uint8Array,
  env: Record<string, string>,
])[] = [
  [6, 'no input', '', {}],
  [6, 'no JSON', 'hello', {}],
  [6, 'half a JSON', GOOD.slice(0, -5), {}],
  [6, 'an array', '[1]', {}],
  [6, 'bytes that are no UTF-8', new Uint8Array([0x7b, 0xff, 0xfe, 0x00, 0x7d]), {}],
  [6, 'a version that is a number', '{"cniVersion":1,"name":"e2e"}', {}],
  [1, 'an unknown version', '{"cniVersion":"9.9.9","name":"e2e"}', {}],
  [7, 'no name', '{"cniVersion":"1.0.0"}', {}],
  [7, 'a name that climbs', '{"cniVersion":"1.0.0","name":"../../etc"}', {}],
  [7, 'a namespace that is none', GOOD.replace('shop', 'sh op'), {}],
  [7, 'an MTU that is text', GOOD.replace('"type"', '"mtu":"big","type"'), {}],
  [5, 'two megabytes', `{"a":"${'x'.repeat(2 << 20)}"}`, {}],
  [4, 'no container', GOOD, { CNI_CONTAINERID: '' }],
  [4, 'a container that climbs', GOOD, { CNI_CONTAINERID: '../x' }],
  [4, 'an interface name with a slash', GOOD, { CNI_IFNAME: 'a/b' }],
  [4, 'an interface name too long', GOOD, { CNI_IFNAME: 'abcdefghijklmnop' }],
  [4, 'an unknown verb', GOOD, { CNI_COMMAND: 'EXPLODE' }],
  [4, 'malformed CNI_ARGS', GOOD, { CNI_ARGS: 'K8S_POD_NAMESPACE' }],
  [8, 'a namespace path that is a file', GOOD, { CNI_NETNS: '/etc/passwd' }],
  [8, 'a namespace path that does not exist', GOOD, { CNI_NETNS: '/run/netns/weft-e2e-nothing' }],
  [8, 'the namespace of the node', GOOD, { CNI_NETNS: 'the node' }],
]

async function plugin({ lab, say }: StepContext): Promise<void> {
  const container = new Container(lab, 'hostile').create()
  try {
    for (const [code, what, input, env] of CALLS) {
      const path = env['CNI_NETNS'] === 'the node' ? { CNI_NETNS: `/run/netns/${lab.node(1).netns}` } : env
      const error = errorOf(await container.raw('ADD', input, path))
      say(`${what} → ${error.code} ${error.msg.slice(0, 150)}`)
      if (what !== 'no container') equal(error.code, code, what)
      else ok(error.code === 3 || error.code === 4)
    }
    const deep = errorOf(await container.raw('ADD', DEEP))
    say(`50,000 levels of JSON → ${deep.code} ${deep.msg.slice(0, 150)}`)
  } finally {
    container.remove()
  }
}

async function cniSocket({ lab, say }: StepContext): Promise<void> {
  const path = lab.node(1).cniSocket
  const header = new Uint8Array(24)
  header.set(new TextEncoder().encode('WEFTCNI1'))
  const lying = header.slice()
  new DataView(lying.buffer).setUint32(20, 0xffff_ffff, true)
  const messages: readonly (readonly [string, Uint8Array])[] = [
    ['one byte', new Uint8Array(1)],
    ['text', new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')],
    ['half a header', header.subarray(0, 12)],
    ['a header without parts', header],
    ['a header that lies about lengths', lying],
    ['64 KiB of noise', noise(1 << 16)],
    ['a megabyte of zeros', new Uint8Array(1_000_000)],
  ]
  for (const [what, data] of messages) {
    const reply = await callSeqpacket({ path, data, timeoutMs: 5000 })
    const answer = JSON.parse(new TextDecoder().decode(reply.subarray(1))) as {
      readonly code: number
      readonly msg: string
    }
    say(`${what} → ${answer.code} ${answer.msg}`)
    equal(reply[0], 1)
    equal(typeof answer.code, 'number')
  }
  await callSeqpacket({ path, data: new Uint8Array(3 << 20), timeoutMs: 5000 }).then(
    (reply) => say(`three megabytes → ${new TextDecoder().decode(reply.subarray(1)).trim()}`),
    (error: unknown) => say(`three megabytes → ${String(error)}`),
  )
}

async function agentSocket({ lab, say }: StepContext): Promise<void> {
  const path = join(lab.node(1).agentDir, 'agent.sock')
  const ask = async (what: string, resource: string, init: RequestInit = {}): Promise<void> => {
    const response = await fetch(`http://agent${resource}`, { ...init, unix: path })
    say(`${what} → ${response.status} ${(await response.text()).trim().slice(0, 120)}`)
    ok(response.status >= 400)
  }
  await ask('an unknown resource', '/etc/passwd')
  await ask('a repair that is no JSON', '/repair', { method: 'POST', body: 'hello' })
  await ask('a repair plan of nonsense', '/repair', { method: 'POST', body: '{"plan":[{"step":"explode"},7,null]}' })
  await ask('a trace that is no flow', '/ofproto-trace', { method: 'POST', body: '{"flow":"; rm -rf /"}' })
  await ask('a trace without flow', '/ofproto-trace', { method: 'POST', body: '{}' })
  await ask('two megabytes', '/repair', { method: 'POST', body: 'x'.repeat(2 << 20) })
  for (const bytes of [
    noise(1 << 16),
    new TextEncoder().encode('POST /repair HTTP/1.1\r\ncontent-length: 99\r\n\r\n{'),
  ]) {
    const fd = connect(path, SOCK_STREAM)
    systemCalls().send(fd, bytes, 0)
    closeFd(fd)
  }
  say('noise and half a request → dropped')
}

async function idle(context: StepContext): Promise<void> {
  const { lab, say } = context
  const before = await lab.inventory(1)
  const fds: number[] = []
  try {
    for (const [path, type] of [
      [lab.node(1).cniSocket, SOCK_SEQPACKET],
      [join(lab.node(1).agentDir, 'agent.sock'), SOCK_STREAM],
    ] as const) {
      for (let n = 0; n < IDLE_CONNECTIONS; n += 1) fds.push(connect(path, type))
    }
    await serves(lab, before)
    say('ADD and DEL work meanwhile')
  } finally {
    for (const fd of fds) closeFd(fd)
  }
}

function connect(path: string, type: number): number {
  const fd = openSocket(AF_UNIX, type, 0)
  equal(systemCalls().connect(fd, encodeSockaddr({ family: 'unix', path })), 0)
  return fd
}

/** Bytes without an order, the same in every run. */
function noise(length: number): Uint8Array {
  let state = 0x2545_f491
  return Uint8Array.from({ length }, () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state & 0xff
  })
}

if (import.meta.main) await runScenario(hostileInput)
