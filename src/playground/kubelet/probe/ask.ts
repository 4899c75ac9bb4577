/**
 * Asks a container what a probe asks.
 * @module
 */
import { familyOf, type Ip, parseIp } from '../../../network/model/address.ts'
import { execIn } from '../container/exec.ts'
import type { ContainerFolder } from '../container/runs.ts'
import type { RunningState } from '../pod/facts.ts'
import type { Container } from '../pod/pod.ts'
import type { PortRef, ProbeAction } from '../pod/probe.ts'
import { type Answer, askHttp, askTcp } from './connect.ts'

/** The container that is asked. */
export interface Asked {
  readonly container: Container
  readonly folder: ContainerFolder
  readonly run: RunningState
  readonly podIps: readonly Ip[]
  /** A descriptor of the network namespace that connections start from. */
  readonly netns: number
}

const MAX_OUTPUT = 10 * 1024

/** One answer, within so many milliseconds. Never rejects. */
export async function ask(asked: Asked, action: ProbeAction, timeout: number): Promise<Answer> {
  try {
    if (action.type === 'unsupported') return no(`this kubelet cannot probe by ${action.what}`)
    if (action.type === 'exec') return await askExec(asked, action.command, timeout)
    const port = portOf(asked.container, action.port)
    const address = action.host === undefined ? preferred(asked.podIps) : parseIp(action.host)
    if (port === undefined) return no(`the container has no port ${action.port}`)
    if (address === undefined) return no(`${action.host ?? 'the pod'} has no address`)
    if (action.type === 'tcp') return await askTcp(asked.netns, address, port, timeout)
    return await askHttp(asked.netns, address, port, action, timeout)
  } catch (error) {
    return no(error instanceof Error ? error.message : String(error))
  }
}

async function askExec({ folder, run }: Asked, command: readonly string[], timeout: number): Promise<Answer> {
  const session = execIn(folder, run, { command, stdin: false, stdout: true, stderr: true, tty: false })
  const timer = setTimeout(session.kill, timeout)
  const said = Promise.all([read(session.stdout), session.stderr === undefined ? '' : read(session.stderr)])
  const expired = Bun.sleep(timeout).then(() => undefined)
  const code = await Promise.race([session.exited, expired])
  clearTimeout(timer)
  session.kill()
  if (code === undefined) return no(`${command.join(' ')}: no answer within ${timeout / 1000} s`)
  if (code === 0) return { success: true, message: 'exit code 0' }
  const words = (await Promise.race([said, Bun.sleep(100).then(() => [])])).join('').trim()
  return no(`${command.join(' ')}: exit code ${code}${words === '' ? '' : `: ${words}`}`)
}

/** The beginning of what a program says; the rest is read and forgotten. */
async function read(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const bytes of stream) if (text.length < MAX_OUTPUT) text += decoder.decode(bytes, { stream: true })
  return text.slice(0, MAX_OUTPUT)
}

function portOf({ ports }: Container, port: PortRef): number | undefined {
  if (typeof port === 'string') return ports.find(({ name }) => name === port)?.port
  return port > 0 ? port : undefined
}

function preferred(ips: readonly Ip[]): Ip | undefined {
  return ips.find((ip) => familyOf(ip) === 4) ?? ips[0]
}

function no(message: string): Answer {
  return { success: false, message }
}
