/** What pods' frames look like on the uplink, and which of the wire's reach them: captures by tcpdump, which shows VLAN tags. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { ethernet, vlanTag } from '../../../../test/lab/frames.ts'
import type { JsonObject } from '../../../cni/index.ts'
import { linkGet, openPacketSocket } from '../../../linux/index.ts'
import { type Scratch, scratch } from '../../../linux/testing/scratch.ts'
import { callFor, ipam, type Memory, NEVER, type Rig, startRig, V4, V6 } from './testing/rig.ts'

const TCPDUMP = Bun.which('tcpdump')
const BROADCAST = 'ff:ff:ff:ff:ff:ff'
/** Nobody else's type (local experimental, IEEE 802). */
const TYPE = 0x88b5
/** Enough for tcpdump to say that it listens. */
const PATIENCE_MS = process.env['WEFT_TEST_DATAPATH'] === 'system' ? 60_000 : 3_000

let rig: Rig
let agent: Memory

beforeAll(async () => {
  rig = await startRig()
  agent = await rig.start()
})
afterAll(() => rig[Symbol.asyncDispose]())

interface Listener extends AsyncDisposable {
  readonly lines: string[]
  /** Resolves with the first line of which this is true; undefined when there was none for a time. */
  line(isIt: (line: string) => boolean, patienceMs?: number): Promise<string | undefined>
}

/** Listens on a link of a namespace, line by line. */
async function listen(place: Scratch, link: string, filter: string): Promise<Listener> {
  const argv = [
    'nsenter',
    `--net=/proc/${process.pid}/fd/${place.nsFd}`,
    TCPDUMP ?? '',
    '-e',
    '-nn',
    '-l',
    '--immediate-mode',
    '-i',
    link,
  ]
  const child = Bun.spawn([...argv, '-Q', 'in', filter], { stdout: 'pipe', stderr: 'pipe', stdin: 'ignore' })
  const lines: string[] = []
  const waiting = new Set<() => void>()
  void (async () => {
    const decoder = new TextDecoder()
    let rest = ''
    for await (const chunk of child.stdout) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = parts.pop() ?? ''
      lines.push(...parts)
      for (const look of waiting) look()
    }
  })()
  const said = child.stderr.getReader()
  for (let text = ''; !text.includes('listening on'); ) {
    const { value, done } = await said.read()
    if (done) throw new Error(`tcpdump ended: ${text}`)
    text += new TextDecoder().decode(value)
  }
  return {
    lines,
    line: (isIt, patienceMs = PATIENCE_MS) =>
      new Promise((resolve) => {
        const end = (line: string | undefined): void => {
          clearTimeout(timer)
          waiting.delete(look)
          resolve(line)
        }
        const look = (): void => {
          const found = lines.find(isIt)
          if (found !== undefined) end(found)
        }
        const timer = setTimeout(() => end(undefined), patienceMs)
        waiting.add(look)
        look()
      }),
    [Symbol.asyncDispose]: async () => {
      child.kill()
      await child.exited
    },
  }
}

function send(place: Scratch, link: string, frame: Uint8Array): void {
  const socket = openPacketSocket({ link: linkGet(place.rtnl, link).index, nsFd: place.nsFd, protocol: 0 })
  socket.send(frame)
  socket.close()
}

/** A frame to everybody with a mark to find it by, tagged or not. */
function frame(mac: string, mark: number, tag?: number): Uint8Array {
  const payload = Uint8Array.of(0xca, 0xfe, mark)
  return tag === undefined
    ? ethernet(mac, BROADCAST, TYPE, payload)
    : ethernet(mac, BROADCAST, 0x8100, vlanTag(tag, TYPE, payload))
}

/** The tags in a line, outermost first. */
const tagsIn = (line: string): readonly number[] => [...line.matchAll(/vlan (\d+)/g)].map(([, tag]) => Number(tag))

/** What leaves the node of a frame that a pod sends, by its tag: tags, or nothing. `undefined`: it does not leave. */
type Passage = readonly [sent: number | undefined, tags: readonly number[] | undefined]

const CASES: readonly (readonly [string, JsonObject, readonly Passage[]])[] = [
  [
    'access',
    { vlan: 100 },
    [
      [undefined, [100]],
      [100, undefined],
      [200, undefined],
    ],
  ],
  [
    'access VLAN 0',
    { vlan: 0 },
    [
      [undefined, []],
      [200, undefined],
    ],
  ],
  [
    'a trunk of ids and ranges',
    { trunk: [{ id: 5 }, { minID: 10, maxID: 11 }] },
    [
      [5, [5]],
      [11, [11]],
      [12, undefined],
      [undefined, undefined],
    ],
  ],
  [
    'a trunk with untagged frames',
    { trunk: [{ id: 0 }, { id: 5 }] },
    [
      [undefined, []],
      [5, [5]],
      [6, undefined],
    ],
  ],
  [
    'a trunk of everything',
    {},
    [
      [undefined, []],
      [4000, [4000]],
    ],
  ],
  [
    'native-tagged',
    { vlan: 7, trunk: [{ id: 8 }], vlan_mode: 'native-tagged' },
    [
      [undefined, [7]],
      [8, [8]],
      [9, undefined],
    ],
  ],
  [
    'native-untagged',
    { vlan: 7, trunk: [{ id: 8 }], vlan_mode: 'native-untagged' },
    [
      [undefined, [7]],
      [8, [8]],
      [9, undefined],
    ],
  ],
]

describe.skipIf(TCPDUMP === null)('on the wire (apt-get install tcpdump)', () => {
  test.each(CASES)('%s: what leaves', async (_, config, passages) => {
    using pod = scratch()
    await agent.plugin.add(callFor(pod, config), NEVER)
    await using wire = await listen(rig.wire, 'wire0', 'ether dst ff:ff:ff:ff:ff:ff or vlan')
    for (const [i, [sent]] of passages.entries()) send(pod, 'eth0', frame(`02:00:00:00:00:${i + 10}`, i, sent))
    // Comes last, in whichever way this port lets something through.
    const passing = passages.findIndex(([, tags]) => tags !== undefined)
    send(pod, 'eth0', frame('02:00:00:00:00:99', 99, passages[passing]?.[0]))
    expect(await wire.line((line) => line.includes('02:00:00:00:00:99'))).toBeDefined()
    const seen = passages.map((_, i) => wire.lines.find((line) => line.includes(`02:00:00:00:00:${i + 10}`)))
    expect(seen.map((line) => (line === undefined ? undefined : tagsIn(line)))).toEqual(
      passages.map(([, tags]) => tags),
    )
    await agent.plugin.del(callFor(pod, config))
  })

  test.each<[string, JsonObject, readonly Passage[]]>([
    [
      'access',
      { vlan: 100 },
      [
        [100, []],
        [200, undefined],
        [undefined, undefined],
      ],
    ],
    [
      'a trunk',
      { trunk: [{ id: 5 }] },
      [
        [5, [5]],
        [6, undefined],
        [undefined, undefined],
      ],
    ],
    [
      'native-tagged',
      { vlan: 7, trunk: [{ id: 8 }], vlan_mode: 'native-tagged' },
      [
        [7, [7]],
        [8, [8]],
        [9, undefined],
      ],
    ],
    [
      'native-untagged',
      { vlan: 7, trunk: [{ id: 8 }], vlan_mode: 'native-untagged' },
      [
        [7, []],
        [8, [8]],
        [9, undefined],
      ],
    ],
  ])('%s: what of the wire reaches the pod', async (_, config, passages) => {
    using pod = scratch()
    await agent.plugin.add(callFor(pod, config), NEVER)
    await using inside = await listen(pod, 'eth0', 'ether dst ff:ff:ff:ff:ff:ff or vlan')
    for (const [i, [tag]] of passages.entries()) send(rig.wire, 'wire0', frame(`02:00:00:00:01:${i + 10}`, i, tag))
    send(rig.wire, 'wire0', frame('02:00:00:00:01:99', 99, passages[0]?.[0]))
    expect(await inside.line((line) => line.includes('02:00:00:00:01:99'))).toBeDefined()
    const seen = passages.map((_, i) => inside.lines.find((line) => line.includes(`02:00:00:00:01:${i + 10}`)))
    expect(seen.map((line) => (line === undefined ? undefined : tagsIn(line)))).toEqual(
      passages.map(([, tags]) => tags),
    )
    await agent.plugin.del(callFor(pod, config))
  })

  test('customers keep their tags inside a tunnel', async () => {
    await rig.ovs.vsctl('set', 'Open_vSwitch', '.', 'other_config:vlan-limit=2')
    using pod = scratch()
    const config = { vlan: 700, trunk: [{ id: 30 }], vlan_mode: 'dot1q-tunnel' }
    await agent.plugin.add(callFor(pod, config), NEVER)
    await using wire = await listen(rig.wire, 'wire0', '')
    send(pod, 'eth0', frame('02:00:00:00:00:31', 31, 31))
    send(pod, 'eth0', frame('02:00:00:00:00:32', 32))
    send(pod, 'eth0', frame('02:00:00:00:00:30', 30, 30))
    const line = await wire.line((one) => one.includes('02:00:00:00:00:30'))
    expect(tagsIn(line ?? '')).toEqual([700, 30])
    expect(wire.lines.filter((one) => /02:00:00:00:00:3[12]/.test(one))).toEqual([])
    await agent.plugin.del(callFor(pod, config))
  })

  test('whose the addresses are is told to the wire in both families, in the VLAN', async () => {
    using pod = scratch()
    await using wire = await listen(rig.wire, 'wire0', '')
    await agent.plugin.add(callFor(pod, { vlan: 100, ...ipam(V4, V6) }), NEVER)
    const gratuitous = await wire.line(
      (line) => line.includes('172.18.30.131 tell 172.18.30.131') || line.includes('Announcement 172.18.30.131'),
    )
    expect(tagsIn(gratuitous ?? '')).toEqual([100])
    const unsolicited = await wire.line(
      (line) => line.includes('neighbor advertisement') && line.includes('fd00:18::131'),
    )
    expect(tagsIn(unsolicited ?? '')).toEqual([100])
    await agent.plugin.del(callFor(pod, {}))
  })
})
