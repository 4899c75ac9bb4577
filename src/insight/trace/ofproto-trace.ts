/**
 * Reads what `ofproto/trace` prints (ovs-vswitchd(8); the layout is that of Open vSwitch 2.8 and later).
 * @module
 */

/** A table that Open vSwitch visited. */
export interface TracedStep {
  readonly table: number
  /** Undefined: no flow matched. */
  readonly priority: number | undefined
  readonly cookie: bigint
}

/** What Open vSwitch would do with a packet. */
export interface TracedPassage {
  readonly steps: readonly TracedStep[]
  /** OpenFlow port numbers, `in_port`, `controller`. */
  readonly outputs: readonly (number | string)[]
  /** What it could not do: `Nonexistent output port`, `native tunnel routing failed`. */
  readonly complaints: readonly string[]
}

/**
 * The passage through the first bridge of a trace, from one recirculation to the next. Open vSwitch does not know the packet's length and shows both
 * branches of `check_pkt_larger`, the larger one first and indented; `larger` chooses. Text that is no trace gives a
 * passage without steps.
 */
export function parseOfprotoTrace(text: string, larger: boolean): TracedPassage {
  const blocks = passesOf(text).flatMap((pass) => chosenBranch(blocksOf(pass), larger))
  return {
    steps: blocks.map(({ table, priority, cookie }) => ({ table, priority, cookie })),
    outputs: blocks.flatMap(({ lines }) => lines.flatMap(outputOf)),
    complaints: blocks.flatMap(({ lines }) => lines.flatMap(complaintOf)),
  }
}

interface Block extends TracedStep {
  readonly depth: number
  readonly lines: string[]
}

/** `    80. reg0=0x2a, priority 100, cookie 0x5701…`: indented by four for each level. */
const HEAD = /^( *)(\d{1,3})\. (.*)$/

/** `recirc(0x1) - resume conntrack …`: connection tracking and a group's hash take a packet through once more. */
const AGAIN = /^recirc\(0x\w+\) - .*$/m
const BRIDGE = /^ *bridge\("(.*)"\)$/m

/** What happened in the first bridge, each time it got the packet. */
function passesOf(text: string): string[] {
  const passes = text.split(AGAIN).map((pass) => pass.split(BRIDGE).slice(1, 3))
  const [bridge] = passes[0] ?? []
  return passes.flatMap(([name, body = '']) => (name === bridge ? [body] : []))
}

function blocksOf(pass: string): Block[] {
  const blocks: Block[] = []
  for (const line of pass.split('\n')) {
    if (/^(Final flow|Megaflow|Datapath actions):/.test(line)) break
    const head = HEAD.exec(line)
    if (head === null) blocks.at(-1)?.lines.push(line.trim())
    else blocks.push(blockOf(head))
  }
  return blocks
}

function blockOf([, indent = '', table = '', rest = '']: RegExpExecArray): Block {
  const priority = rest.startsWith('No match') ? undefined : Number(/priority (\d+)/.exec(rest)?.[1] ?? 32768)
  const cookie = BigInt(/cookie (0x[0-9a-f]{1,16})/.exec(rest)?.[1] ?? '0')
  // Open vSwitch prints table numbers below 10 with a blank before them.
  const depth = Math.floor(indent.length / 4)
  return { table: Number(table), priority, cookie, depth, lines: [] }
}

function chosenBranch(blocks: readonly Block[], larger: boolean): readonly Block[] {
  const fork = blocks.findIndex(({ lines }) => lines.some((line) => line.startsWith('check_pkt_larger(')))
  const at = blocks[fork]
  if (at === undefined) return blocks
  const after = blocks.slice(fork + 1)
  const end = after.findIndex(({ depth }) => depth <= at.depth)
  const [bigger, smaller] = end < 0 ? [after, []] : [after.slice(0, end), after.slice(end)]
  return [...blocks.slice(0, fork + 1), ...(larger ? bigger : smaller)]
}

function outputOf(line: string): (number | string)[] {
  const port = /^(?:output:|-> output port is )(\d+)$/.exec(line)?.[1]
  if (port !== undefined) return [Number(port)]
  if (line === 'IN_PORT') return ['in_port']
  if (/^CONTROLLER|^controller\(/.test(line)) return ['controller']
  return []
}

/**
 * A packet that connection tracking hands on carries the tunnel it is to enter. A trace, unlike a switch, takes that for
 * the one it came out of.
 */
const MISTAKEN = 'Not tunneling to our own address'

function complaintOf(line: string): string[] {
  const complaint = line.startsWith('>> ') ? line.slice(3) : undefined
  return complaint === undefined || complaint === MISTAKEN ? [] : [complaint]
}
