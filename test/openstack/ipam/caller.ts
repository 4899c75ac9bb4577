/**
 * Calls of `ipam-neutron` as a container runtime makes them, on a real cloud: in this process, or as a program.
 * @module
 */
import { type ServeOptions, serveIpam } from '../../../src/cli/ipam-neutron/serve.ts'
import type { Cloud } from '../cloud/cloud.ts'
import type { NetworkDriver } from '../cloud/files.ts'

/** One call. */
export interface IpamCall {
  readonly networks: readonly string[]
  readonly version?: string
  readonly containerId?: string
  readonly ifname?: string
  readonly args?: string
  /** Beside the document's keys. */
  readonly account?: object
  readonly ipam?: object
  readonly neutronConf?: object
  readonly more?: object
}

/** What came of it. */
export interface Called {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: any JSON, looked at by tests
  readonly answer: any
  readonly output: string
}

/** The document's configuration, for one account of a cloud: its words, in its order. */
export function netconfOf(cloud: Cloud, driver: NetworkDriver, call: IpamCall): string {
  const { version = '0.3.1', networks, account, ipam, neutronConf, more } = call
  return JSON.stringify({
    ...{ cniVersion: version, name: 'examplenet', ...more },
    ipam: {
      ...{ name: 'myipam', type: 'ipam-neutron' },
      openstackConf: {
        ...{ username: 'cni', password: 'cni', project: 'k8s', domain: 'default', authUrl: cloud.authUrl },
        ...{ region: driver, ...account },
      },
      neutronConf: { networks, ...neutronConf },
      ...ipam,
    },
  })
}

/** What a runtime sets. */
export function environmentOf(verb: string, call: IpamCall): Record<string, string> {
  const { containerId = 'example', ifname = 'dummy0', args = '' } = call
  return {
    ...{ CNI_COMMAND: verb, CNI_CONTAINERID: containerId, CNI_NETNS: '/dev/null', CNI_IFNAME: ifname, CNI_PATH: '.' },
    ...(args === '' ? {} : { CNI_ARGS: args }),
  }
}

/** Calls on one region of a cloud. */
export class IpamCaller {
  readonly #cloud: Cloud
  readonly #driver: NetworkDriver
  readonly #options: Partial<ServeOptions>
  readonly warned: string[] = []

  constructor(cloud: Cloud, driver: NetworkDriver, options: Partial<ServeOptions> = {}) {
    this.#cloud = cloud
    this.#driver = driver
    this.#options = options
  }

  /** A call in this process, with the patience of a busy machine. */
  async call(verb: string, call: IpamCall, options: Partial<ServeOptions> = {}): Promise<Called> {
    const { output, status } = await serveIpam(
      {
        environment: environmentOf(verb, call),
        input: new TextEncoder().encode(netconfOf(this.#cloud, this.#driver, call)),
      },
      {
        signal: new AbortController().signal,
        node: 'node1.example',
        machine: 'the machine of the test',
        readFile: () => '',
        warn: (sentence) => void this.warned.push(sentence),
        patience: 280_000,
        session: { limits: { attempt: 120_000, total: 240_000 } },
        ...this.#options,
        ...options,
      },
    )
    return { status, answer: output === '' ? undefined : JSON.parse(output), output }
  }
}
