/**
 * A pod that asks others again and again, by one `kubectl exec` that lasts: whom, it is told line by line.
 * @module
 */
import type { Pod } from '../../../src/network/model/pod.ts'
import type { Cluster } from '../cluster.ts'
import { type Question, textOf } from './questions.ts'

/** One round of questions. */
export interface Round {
  /** The beginning of the last attempt that counts, in milliseconds since 1970. */
  readonly at: number
  /** One letter for each question: `y` answered, `o` answered by another one, `r` refused, `n` silence. */
  readonly results: string
}

/** How long a prober may take to end by itself. */
const GRACE = 3000

/** A pod's prober. Always `stop()` it. */
export class Prober {
  readonly #child: Bun.Subprocess<'pipe', 'pipe', 'pipe'>
  readonly #reading: Promise<void>
  readonly #silent = new Set<string>()
  #number = 0
  #wanted = ''
  #latest: Round | undefined
  #matching: Round | undefined

  constructor(rig: Cluster, { namespace, name }: Pick<Pod, 'namespace' | 'name'>) {
    const exec = ['exec', '-i', '-n', namespace, name, '--', 'net', 'ask']
    this.#child = Bun.spawn([...rig.kubectlCommand(exec)], { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' })
    this.#reading = this.#read()
  }

  /** Asks these from now on, and whether they are expected to be answered. None: rests. */
  aim(questions: readonly Question[], expected: readonly boolean[]): void {
    this.#number += 1
    this.#wanted = expected.map((one) => (one ? 'y' : 'n')).join('')
    this.#latest = undefined
    this.#matching = undefined
    this.#child.stdin.write(
      `${[this.#number, ...questions.map((one, i) => this.#wordOf(one, expected[i] === true))].join(' ')}\n`,
    )
    this.#child.stdin.flush()
  }

  /** The last round since then. */
  get latest(): Round | undefined {
    return this.#latest
  }

  /** The first round since then in which everything was as expected. */
  get matching(): Round | undefined {
    return this.#matching
  }

  /** Ends it; the pod's program ends with its input. */
  async stop(): Promise<void> {
    this.#child.stdin.end()
    const clock = setTimeout(() => this.#child.kill('SIGKILL'), GRACE)
    await this.#child.exited
    clearTimeout(clock)
    await this.#reading
  }

  /** As the pod's program has it. What was silent and should not be any more is news. */
  #wordOf(question: Question, isExpected: boolean): string {
    const key = textOf(question)
    const word = wordOf(question, !isExpected ? 'no' : this.#silent.has(key) ? 'news' : 'yes')
    if (isExpected) this.#silent.delete(key)
    else this.#silent.add(key)
    return word
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder()
    let rest = ''
    for await (const bytes of this.#child.stdout) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.#hear(line)
    }
  }

  #hear(line: string): void {
    const [number, , at, results = ''] = line.split(' ')
    if (Number(number) !== this.#number) return
    this.#latest = { at: Number(at), results }
    if (results === this.#wanted) this.#matching ??= this.#latest
  }
}

/** A question as the pod's program has it. */
export function wordOf({ connection, address, port, answerer }: Question, expected: 'no' | 'yes' | 'news'): string {
  return [connection.protocol.toLowerCase(), address, port, answerer, expected].join()
}
