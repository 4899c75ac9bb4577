/**
 * Calls of `ipam-neutron` as a runtime makes them, on a Neutron in memory.
 * @module
 */
import { expect } from 'bun:test'
import { NETWORK, SmallNeutron, type Trouble } from '../../../compat/ipam-neutron/testing/small-neutron.ts'
import { PASSWORD } from '../../../openstack/testing/fake-cloud.ts'
import { type ServeOptions, serveIpam } from '../serve.ts'

const KEY = { CNI_CONTAINERID: 'example', CNI_NETNS: '/dev/null', CNI_IFNAME: 'dummy0', CNI_PATH: '.' }

/** What is other than in the document. */
export interface Call {
  readonly networks?: readonly string[]
  readonly version?: string
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly ipam?: object
  readonly more?: object
  readonly options?: Partial<ServeOptions> | undefined
  readonly account?: object
}

/** What came of a call. */
export interface Called {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: any JSON, looked at by tests
  readonly answer: any
  readonly output: string
}

/** Calls, and what they are made on. Always `stop()` it. */
export class Caller {
  readonly neutron = new SmallNeutron()
  readonly warned: string[] = []

  /** One call. No answer and no warning shows the password. */
  async call(verb: string, { networks = [NETWORK], version = '0.3.1', ...rest }: Call = {}): Promise<Called> {
    const { env, ipam, more, options, account } = rest
    const openstackConf = {
      ...{ username: 'admin', password: PASSWORD, project: 'admin', domain: 'default' },
      authUrl: `${this.neutron.cloud.url}/v3`,
      ...account,
    }
    const config = {
      ...{ cniVersion: version, name: 'examplenet', ...more },
      ipam: { name: 'myipam', type: 'ipam-neutron', openstackConf, neutronConf: { networks }, ...ipam },
    }
    return this.raw(verb, JSON.stringify(config), { env, options })
  }

  /** One call with any input. */
  async raw(verb: string, input: string, { env, options }: Pick<Call, 'env' | 'options'> = {}): Promise<Called> {
    const { output, status } = await serveIpam(
      { environment: { CNI_COMMAND: verb, ...KEY, ...env }, input: new TextEncoder().encode(input) },
      {
        signal: new AbortController().signal,
        node: 'node1',
        machine: '',
        readFile: () => 'nameserver 10.0.0.2\n',
        warn: (sentence) => void this.warned.push(sentence),
        session: { firstPause: 1, limits: { attempts: 2 } },
        ...options,
      },
    )
    expect(`${output} ${this.warned.join(' ')}`).not.toContain(PASSWORD)
    return { status, answer: output === '' ? undefined : JSON.parse(output), output }
  }

  ports() {
    return [...this.neutron.ports.values()]
  }

  /** Something happens to the first such request. */
  once(name: string, trouble: Trouble): void {
    this.neutron.trouble = (heard, nth) => (heard === name && nth === 1 ? trouble : undefined)
  }

  stop(): Promise<void> {
    return this.neutron.stop()
  }
}
