/**
 * Weft under the name `flannel` in a folder of CNI plugins: gives the machine's subnet to the plugin that does the work, `bridge`
 * unless the network says another one. It needs no agent. What it called that plugin with is kept for each container, in flannel's own files: either program undoes what
 * the other one made.
 * @module
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readingConfig } from '../../cni/config-fault.ts'
import { addByProgram, callProgram, type ProgramCall } from '../../cni/delegate/index.ts'
import {
  type AddRequest,
  type CheckRequest,
  CniError,
  type CniResult,
  cniError,
  type DelRequest,
  encodeResult,
  errorAnswer,
  formatArgs,
  type JsonObject,
  type NetworkConfig,
  parseRequest,
  printResult,
  requestedVersion,
  toCniError,
  versionAnswer,
} from '../../cni/index.ts'
import { decodeJsonObject, member } from '../../cni/json.ts'
import { delegateConfig, flannelPlaces } from '../../compat/flannel/plugin.ts'
import { replaceWhole, sweepDrafts } from '../../files/whole-file.ts'

/** Serves one call by environment and standard input. Never throws; resolves to the exit code. */
export async function runFlannelPlugin(): Promise<number> {
  const input = readFileSync(0)
  try {
    process.stdout.write(await answer(input))
    return 0
  } catch (error) {
    process.stdout.write(`${JSON.stringify(errorAnswer(toCniError(error), requestedVersion(input)))}\n`)
    return 1
  }
}

async function answer(input: Uint8Array): Promise<string> {
  const request = parseRequest(process.env, input)
  switch (request.verb) {
    case 'VERSION':
      return `${JSON.stringify(versionAnswer(request.requested))}\n`
    case 'ADD':
      return await add(request)
    case 'CHECK':
      await check(request)
      return ''
    case 'DEL':
      await del(request)
      return ''
    case 'STATUS':
      status(request.config)
      return ''
    case 'GC':
      // What is left of a container is undone by its DEL, but for what an ADD was killed over.
      sweepDrafts(placesIn(request.config).dataDir)
      return ''
  }
}

async function add(request: AddRequest): Promise<string> {
  const { config, containerId, ifname } = request
  const { dataDir } = placesIn(config)
  const input = delegateOf(config)
  // Before the call: whoever is killed in it has left something to undo.
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  // On a pod's path no other pod's note is looked at.
  replaceWhole(join(dataDir, noteName(containerId, ifname)), JSON.stringify(input), 0o600)
  const result = await addByProgram(callOf(request, input), input, config.version)
  return printResult(result, config.version)
}

async function check(request: CheckRequest): Promise<void> {
  const { config, containerId, ifname, prevResult } = request
  const noted = readNote(placesIn(config).dataDir, containerId, ifname)
  if (noted === undefined) throw cniError('container-unknown', { container: containerId, ifname, network: config.name })
  const input = { ...noted.input, prevResult: encodeResult(withGateways(prevResult), config.version) }
  await callProgram({ ...callOf(request, input), verb: 'CHECK' }, input)
}

/** `bridge` makes a route that has no gateway by the address's own, and looks for one without when it is asked. */
function withGateways(result: CniResult): CniResult {
  const gatewayFor = (dst: string): string | undefined =>
    result.ips.find(({ address }) => address.includes(':') === dst.includes(':'))?.gateway
  const routes = result.routes.map((route) => {
    const gw = route.gw ?? gatewayFor(route.dst)
    return gw === undefined ? route : { ...route, gw }
  })
  return { ...result, routes }
}

/** What is not known is gone already. */
async function del(request: DelRequest): Promise<void> {
  const { config, containerId, ifname } = request
  if (config === undefined) return
  const noted = readNote(placesIn(config).dataDir, containerId, ifname)
  if (noted === undefined) return
  await callProgram({ ...callOf(request, noted.input), verb: 'DEL' }, noted.input)
  if (noted.isOwn) rmSync(noted.path, { force: true })
}

function status(config: NetworkConfig): void {
  try {
    delegateOf(config)
  } catch (error) {
    if (!(error instanceof CniError) || error.id !== 'flannel-not-ready') throw error
    throw cniError('status-not-ready', { reason: error.message })
  }
}

function delegateOf({ raw, name }: NetworkConfig): JsonObject {
  return readingConfig(() => {
    const { subnetFile } = flannelPlaces(raw)
    return delegateConfig(raw, name, subnetText(subnetFile), subnetFile)
  })
}

function placesIn({ raw }: NetworkConfig) {
  return readingConfig(() => flannelPlaces(raw))
}

function subnetText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException
    throw cniError('flannel-not-ready', { reason: `${file} cannot be read (${code})` })
  }
}

type Call = Pick<AddRequest, 'containerId' | 'ifname' | 'args' | 'path'> & { readonly netns?: string | undefined }

function callOf({ containerId, ifname, netns, args, path }: Call, input: JsonObject): Omit<ProgramCall, 'verb'> {
  const type = String(member(input, 'type') ?? '')
  return { type, path, containerId, ifname, args: formatArgs(args), ...(netns === undefined ? {} : { netns }) }
}

/** flannel's own plugin has one file for all interfaces of a container, so that a second one takes the first one's place. */
function noteName(containerId: string, ifname: string): string {
  return ifname === 'eth0' ? containerId : `${containerId}:${ifname}`
}

interface Note {
  readonly path: string
  readonly input: JsonObject
  /** Of this interface alone: it goes with it. */
  readonly isOwn: boolean
}

function readNote(dataDir: string, containerId: string, ifname: string): Note | undefined {
  for (const name of new Set([noteName(containerId, ifname), containerId])) {
    const path = join(dataDir, name)
    const input = objectIn(path)
    if (input !== undefined) return { path, input, isOwn: name === noteName(containerId, ifname) }
  }
  return undefined
}

/** One that makes no sense is none: a runtime repeats a DEL that fails for ever. */
function objectIn(path: string): JsonObject | undefined {
  try {
    return decodeJsonObject(readFileSync(path))
  } catch {
    return undefined
  }
}
