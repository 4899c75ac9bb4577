/**
 * What reaches whom between two network namespaces, as ping and iperf3 see it.
 * @module
 */
import { netnsOpen } from '../../src/linux/netns.ts'
import { closeFd } from '../../src/linux/socket.ts'
import { parseIp } from '../../src/network/model/address.ts'
import { run } from '../../test/lab/command.ts'
import { throughput } from './speed.ts'

/** What a ping saw. */
export interface Trace {
  /** Of each answer, in ms. */
  readonly times: readonly number[]
  /** The longest time between two answers, in seconds. */
  readonly longestGap: number
}

const PATIENCE_MS = 60_000

/** A ping every 10 ms, as timers allow, with the time of every answer. */
export class PingTrace {
  readonly #child: Bun.Subprocess<'ignore', 'pipe', 'ignore'>
  readonly #reading: Promise<void>
  #text = ''

  constructor(namespace: string, address: string) {
    const argv = [...enter(namespace), 'ping', '-n', '-D', '-i', '0.01', '-W', '1', address]
    this.#child = Bun.spawn(argv, { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' })
    this.#reading = this.#read()
  }

  /** The time of the first answer after a time, both in seconds of the clock. Throws after so many milliseconds, a minute by default. */
  async answerAfter(since: number, patience = PATIENCE_MS): Promise<number> {
    const end = performance.now() + patience
    while (performance.now() < end) {
      const found = this.#answers().find(({ at }) => at > since)
      if (found !== undefined) return found.at
      await Bun.sleep(20)
    }
    throw new Error('there is no answer to a ping')
  }

  /** Ends it and tells. */
  async stop(): Promise<Trace> {
    this.#child.kill('SIGINT')
    await this.#reading
    const answers = this.#answers()
    const gaps = answers.slice(1).map(({ at }, n) => at - (answers[n]?.at ?? at))
    return { times: answers.map(({ ms }) => ms), longestGap: Math.max(0, ...gaps) }
  }

  #answers(): readonly { readonly at: number; readonly ms: number }[] {
    const found = this.#text.matchAll(/^\[([\d.]+)\] .*icmp_seq=\d+ ttl=\d+ time=([\d.]+) ms/gm)
    return [...found].map(([, at, ms]) => ({ at: Number(at), ms: Number(ms) }))
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder()
    for await (const chunk of this.#child.stdout) this.#text += decoder.decode(chunk, { stream: true })
  }
}

const SMALLEST = 576

/** Bytes of the largest IPv4 packet that arrives in one piece, header and all; undefined where none of 576 bytes does. */
export async function largestPacket(namespace: string, address: string): Promise<number | undefined> {
  const passes = async (size: number): Promise<boolean> => {
    // On a busy machine an answer may be late.
    const words = ['ping', '-c2', '-i0.2', '-W1', '-M', 'do', '-s', String(size - 28), address]
    return (await run([...enter(namespace), ...words])).code === 0
  }
  // What was found out about the way that there was before is kept for ten minutes.
  await run(['ip', '-n', namespace, 'route', 'flush', 'cache'])
  if (!(await passes(SMALLEST))) return undefined
  let [fits, tooLarge] = [SMALLEST, 1501]
  while (tooLarge - fits > 1) {
    const middle = (fits + tooLarge) >> 1
    if (await passes(middle)) fits = middle
    else tooLarge = middle
  }
  return fits
}

/** One TCP stream in Gbit/s: by iperf3 where it is installed, else by one of ours. */
export async function streamGigabits(from: string, to: string, address: string, seconds: number): Promise<number> {
  if (Bun.which('iperf3') === null) return ownStream(from, to, address, seconds)
  let why = ''
  for (let attempt = 0; attempt < 20; attempt += 1) {
    // It serves once, whatever comes of that: a try that fails takes it along.
    const server = Bun.spawn([...enter(to), 'iperf3', '-s', '-1', '-B', address], {
      stdout: 'ignore',
      stderr: 'ignore',
    })
    try {
      await Bun.sleep(100 + 50 * attempt)
      const { stdout } = await run([...enter(from), 'iperf3', '-c', address, '-t', String(seconds), '-J'])
      const { bits, error } = toldBy(stdout)
      if (bits !== undefined) return bits / 1e9
      why = error
    } finally {
      server.kill('SIGKILL')
      await server.exited
    }
  }
  throw new Error(`iperf3 does not get through to its server: ${why}`)
}

/** What iperf3 prints as JSON, of which there is only a part when it was ended. */
function toldBy(text: string): { readonly bits?: number; readonly error: string } {
  try {
    const { end, error = 'it tells no rate' } = JSON.parse(text)
    const bits: unknown = end?.sum_received?.bits_per_second
    return { ...(typeof bits === 'number' && { bits }), error }
  } catch {
    return { error: 'it was ended before it had told anything' }
  }
}

async function ownStream(from: string, to: string, address: string, seconds: number): Promise<number> {
  const at = parseIp(address)
  if (at === undefined) throw new Error(`${address} is no address`)
  const [client, server] = [netnsOpen(from), netnsOpen(to)]
  try {
    return await throughput(client, server, at, seconds * 1000)
  } finally {
    closeFd(client)
    closeFd(server)
  }
}

function enter(namespace: string): readonly string[] {
  return ['nsenter', `--net=/run/netns/${namespace}`]
}
