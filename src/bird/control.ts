/**
 * BIRD's control socket.
 * @module
 */
import { createConnection, type Socket } from 'node:net'
import { BirdError, printable, refusedConfiguration } from './errors.ts'
import { isFailure, type Reply, ReplyReader } from './reply.ts'

/** Where BIRD listens, and for how long it is waited for: 10 s when absent. */
export interface ControlSocket {
  readonly path: string
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 10_000
/** Of BIRD's first line. */
const READY = 1

/** What BIRD answers to a command. A refusal is an error, `BIRD_REFUSED`. Every call has a connection of its own. */
export async function ask(control: ControlSocket, command: string): Promise<Reply> {
  const reply = await exchange(control, command)
  if (isFailure(reply)) {
    throw new BirdError(
      'BIRD_REFUSED',
      `BIRD refuses "${command}": ${printable(reply.last.text)}`,
      'see the log of BIRD',
    )
  }
  return reply
}

/** How BIRD took a configuration. */
export type Reconfiguration = 'done' | 'in-progress' | 'queued'

/** Reads a configuration file without using it. Throws BIRD_CONFIGURATION for one that it refuses. */
export async function configureCheck(control: ControlSocket, file: string): Promise<void> {
  await configuring(control, `configure check ${pathText(file)}`)
}

/**
 * Takes a configuration file into use. With `undoSeconds` BIRD goes back to what it had unless {@link confirm} comes in time.
 * Throws BIRD_CONFIGURATION for a file that it refuses: then what it had stays.
 */
export async function configure(control: ControlSocket, file: string, undoSeconds?: number): Promise<Reconfiguration> {
  const timeout = undoSeconds === undefined ? '' : ` timeout ${Math.trunc(undoSeconds)}`
  const { last } = await configuring(control, `configure ${pathText(file)}${timeout}`)
  const done = RECONFIGURED.get(last.code)
  if (done !== undefined) return done
  throw new BirdError('BIRD_REFUSED', `BIRD does not reconfigure: ${printable(last.text)}`, 'see the log of BIRD')
}

/** Keeps the configuration; false when it was too late, or nothing was to be kept. */
export async function confirm(control: ControlSocket): Promise<boolean> {
  const { last } = await ask(control, 'configure confirm')
  return last.code === CONFIRMED
}

/** Goes back to the configuration before. */
export async function undo(control: ControlSocket): Promise<void> {
  await ask(control, 'configure undo')
}

/** BIRD ends. Its peers keep what it told them, and the kernel what it put there, until it is back or their time is over. */
export async function gracefulRestart(control: ControlSocket): Promise<void> {
  await ask(control, 'graceful restart')
}

/** BIRD ends, and takes back what it told. */
export async function shutDown(control: ControlSocket): Promise<void> {
  await ask(control, 'down')
}

const RECONFIGURED: ReadonlyMap<number, Reconfiguration> = new Map([
  [3, 'done'],
  [4, 'in-progress'],
  [5, 'queued'],
])
const CONFIRMED = 18

async function configuring(control: ControlSocket, command: string): Promise<Reply> {
  const reply = await exchange(control, command)
  if (isFailure(reply)) throw refusedConfiguration(reply.last.text)
  return reply
}

/** BIRD's strings know no escapes. */
function pathText(file: string): string {
  if (/^[\x20\x21\x23-\x7e]+$/.test(file)) return `"${file}"`
  throw new BirdError(
    'BIRD_REFUSED',
    `BIRD cannot read the path ${JSON.stringify(file)}`,
    'use ASCII without quotation marks',
  )
}

function exchange({ path, timeoutMs = TIMEOUT_MS }: ControlSocket, command: string): Promise<Reply> {
  if (/[\0\n\r]/.test(command)) throw new TypeError('a command is one line')
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const socket: Socket = createConnection({ path })
  const timer = setTimeout(() => reject(late(path, timeoutMs)), timeoutMs)
  const reader = new ReplyReader()
  let isGreeted = false
  socket.on('data', (bytes: Buffer) => {
    try {
      for (const reply of reader.read(bytes)) {
        if (isGreeted) resolve(reply)
        else if (reply.last.code === READY) socket.write(`${command}\n`)
        else
          throw new BirdError(
            'BIRD_GARBAGE',
            `${path}: ${printable(reply.last.text)}`,
            'check that BIRD 2 listens there',
          )
        isGreeted = true
      }
    } catch (error) {
      reject(error)
    }
  })
  socket.on('error', (error: Error) => reject(away(path, error.message)))
  socket.on('close', () => reject(away(path, 'it closed the connection')))
  return promise.finally(() => {
    clearTimeout(timer)
    socket.destroy()
  })
}

function late(path: string, ms: number): BirdError {
  return new BirdError('BIRD_TIMEOUT', `${path}: BIRD did not answer in ${ms / 1000} s`, 'see the log of BIRD')
}

function away(path: string, why: string): BirdError {
  return new BirdError('BIRD_UNAVAILABLE', `${path}: BIRD does not answer: ${printable(why)}`, 'see whether BIRD runs')
}
