/**
 * The CNI executable, called as a container runtime does.
 * @module
 */
import { deepEqual, equal } from 'node:assert/strict'
import { addNamespace, removeNamespace } from '../../src/playground/lab/namespaces.ts'
import { type NodeLayout, netnsPath } from '../../src/playground/layout.ts'
import { run } from './command.ts'
import { type Lab, PLUGIN } from './lab.ts'

/** Every version of the specification that the plugin speaks. */
export const VERSIONS = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const
export type Version = (typeof VERSIONS)[number]

/** What the plugin answered. */
export interface Answer {
  readonly code: number
  /** What it printed, parsed; undefined when it printed nothing. */
  readonly json: unknown
  readonly text: string
}

/** A container as its runtime sees it. */
export class Container {
  readonly id: string
  readonly netns: string
  readonly version: Version
  /** CNI_ARGS, as kubelet sets them. */
  readonly args: string
  readonly #lab: Lab
  readonly #socket: string
  /** What ADD answered. */
  result: unknown

  constructor(
    lab: Lab,
    name: string,
    {
      version = '1.1.0',
      node = 1,
      args = '',
      machine = lab.node(node),
    }: {
      readonly version?: Version
      readonly node?: number
      readonly args?: string
      readonly machine?: NodeLayout
    } = {},
  ) {
    this.args = args
    this.#lab = lab
    this.id = `${lab.layout.prefix}-${name}`
    this.netns = this.id
    this.version = version
    this.#socket = machine.cniSocket
  }

  /** Makes the network namespace. */
  create(): this {
    addNamespace(this.#lab.layout, this.netns)
    return this
  }

  /** Removes the network namespace. */
  remove(): void {
    removeNamespace(this.#lab.layout, this.netns)
  }

  /** Calls the plugin; `config` goes over the usual configuration, `env` over the usual environment. */
  async call(verb: string, config: object = {}, env: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const input = { cniVersion: this.version, name: 'e2e', type: 'weft', namespace: 'shop', ...config }
    return callPlugin(this.#socket, { ...this.environment(verb), ...env }, JSON.stringify(input))
  }

  /** Calls the plugin with any input. */
  raw(verb: string, input: string | Uint8Array, env: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return callPlugin(this.#socket, { ...this.environment(verb), ...env }, input)
  }

  /** ADD that must succeed; keeps and returns the result. */
  async add(config: object = {}): Promise<unknown> {
    const answer = await this.call('ADD', config)
    equal(answer.code, 0, answer.text)
    this.result = answer.json
    return answer.json
  }

  /** DEL that must succeed, as a runtime does it: with the result, for the namespace. */
  async del(): Promise<void> {
    const answer = await this.call('DEL', { prevResult: this.result })
    deepEqual([answer.code, answer.text], [0, ''])
  }

  environment(verb: string): Readonly<Record<string, string>> {
    return {
      CNI_COMMAND: verb,
      CNI_CONTAINERID: this.id,
      CNI_NETNS: netnsPath(this.netns),
      CNI_IFNAME: 'eth0',
      CNI_PATH: '/opt/cni/bin',
      ...(this.args === '' ? {} : { CNI_ARGS: this.args }),
    }
  }
}

/** Calls the plugin with an environment and input. */
export async function callPlugin(
  socket: string,
  env: Readonly<Record<string, string>>,
  input: string | Uint8Array,
): Promise<Answer> {
  const { code, stdout } = await run([PLUGIN], { env: { ...env, WEFT_CNI_SOCKET: socket }, input })
  return { code, text: stdout, json: stdout === '' ? undefined : JSON.parse(stdout) }
}

/** An error answer: exit code 1 and the specification's members. Throws when it is none. */
export function errorOf({ code, json, text }: Answer): { readonly code: number; readonly msg: string } {
  equal(code, 1, text)
  const { code: number, msg } = json as { readonly code: number; readonly msg: string }
  equal(typeof number, 'number', text)
  equal(typeof msg, 'string', text)
  return { code: number, msg }
}
