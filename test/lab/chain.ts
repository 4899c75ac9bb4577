/**
 * A list of plugins, called as container runtimes do (CNI specification, section 3): in order, each with the result of the
 * one before it, and with what the runtime asks for where the plugin says that it can.
 * @module
 */
import { equal } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Outcome, run } from './command.ts'
import { environment } from './lab.ts'
import type { Container } from './plugin.ts'

/** A port of the node that leads to one of the container. */
export interface PortMapping {
  readonly hostPort: number
  readonly containerPort: number
  readonly protocol: 'tcp' | 'udp'
  readonly hostIP?: string
}

interface Plugin {
  readonly type: string
  readonly capabilities?: Readonly<Record<string, boolean>>
}

/** A network configuration file with the folder of its plugins, on one node. */
export class Chain {
  readonly #netns: string
  readonly #binDir: string
  readonly #configuration: { readonly name: string; readonly plugins: readonly Plugin[] }
  readonly #env: Readonly<Record<string, string>>

  /** @param env over the usual environment: a PATH with other tools, say */
  constructor(netns: string, file: string, binDir: string, env: Readonly<Record<string, string>> = {}) {
    this.#netns = netns
    this.#binDir = binDir
    this.#configuration = JSON.parse(readFileSync(file, 'utf8'))
    this.#env = env
  }

  /** ADD; the container keeps the last plugin's result. Throws what a plugin refuses. */
  async add(container: Container, portMappings: readonly PortMapping[]): Promise<void> {
    let result: unknown
    for (const plugin of this.#configuration.plugins) {
      const { code, stdout } = await this.#call('ADD', plugin, container, portMappings, result)
      equal(code, 0, `${plugin.type}: ${stdout}`)
      result = JSON.parse(stdout)
    }
    container.result = result
  }

  /** CHECK or DEL, which runs backwards; resolves with what each plugin that objects said. */
  async end(verb: 'CHECK' | 'DEL', container: Container, portMappings: readonly PortMapping[]): Promise<string> {
    const { plugins } = this.#configuration
    const complaints: string[] = []
    for (const plugin of verb === 'DEL' ? plugins.toReversed() : plugins) {
      const { code, stdout, stderr } = await this.#call(verb, plugin, container, portMappings, container.result)
      if (code !== 0) complaints.push(`${plugin.type}: ${stdout}${stderr}`)
    }
    return complaints.join('\n')
  }

  #call(
    verb: string,
    { capabilities = {}, ...plugin }: Plugin,
    container: Container,
    portMappings: readonly PortMapping[],
    prevResult: unknown,
  ): Promise<Outcome> {
    const input = {
      ...plugin,
      name: this.#configuration.name,
      cniVersion: container.version,
      ...(capabilities['portMappings'] === true ? { runtimeConfig: { portMappings } } : {}),
      ...(prevResult === undefined ? {} : { prevResult }),
    }
    const env = { ...environment(), ...container.environment(verb), CNI_PATH: this.#binDir, ...this.#env }
    const argv = ['ip', 'netns', 'exec', this.#netns, join(this.#binDir, plugin.type)]
    return run(argv, { env, input: JSON.stringify(input) })
  }
}
