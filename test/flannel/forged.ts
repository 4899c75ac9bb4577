/**
 * Packets that somebody makes up: bare ones, and in a tunnel's frame.
 * @module
 */
import { internetChecksum, netnsOpen } from '../../src/linux/index.ts'
import { closeFd } from '../../src/linux/socket.ts'
import { ip, ipValue } from '../../src/network/model/address.ts'
import { eventually } from '../kube/process.ts'
import { capture } from '../lab/capture.ts'
import { type Host, inside, PATIENCE } from './rig.ts'

/** A ping's question with a payload of its own. */
export function echoRequest(source: string, destination: string, payload: Buffer): Buffer {
  const packet = Buffer.alloc(28 + payload.length)
  packet.writeUInt8(0x45, 0)
  packet.writeUInt16BE(packet.length, 2)
  packet.writeUInt8(64, 8)
  packet.writeUInt8(1, 9)
  packet.set(source.split('.').map(Number), 12)
  packet.set(destination.split('.').map(Number), 16)
  packet.writeUInt16BE(internetChecksum(packet.subarray(0, 20)), 10)
  packet.writeUInt8(8, 20)
  packet.writeUInt16BE(7, 24)
  packet.set(payload, 28)
  packet.writeUInt16BE(internetChecksum(packet.subarray(20)), 22)
  return packet
}

/** A packet of IPv6 that carries a payload and nothing else. */
export function packet6(source: string, destination: string, payload: Buffer): Buffer {
  const header = Buffer.alloc(40)
  header.writeUInt8(0x60, 0)
  header.writeUInt16BE(payload.length, 4)
  header.set([59, 64], 6)
  const bytes = (text: string) => Buffer.from(ipValue(ip(text)).toString(16).padStart(32, '0'), 'hex')
  header.set(bytes(source), 8)
  header.set(bytes(destination), 24)
  return Buffer.concat([header, payload])
}

/** A packet as VXLAN carries it to a device, behind UDP. */
export function inVxlan(packet: Buffer, vni: number, to: string): Buffer {
  const type = packet.readUInt8(0) >> 4 === 4 ? [0x08, 0x00] : [0x86, 0xdd]
  const header = Buffer.from([8, 0, 0, 0, 0, 0, 0, 0])
  header.writeUInt32BE(vni << 8, 4)
  const mac = (text: string) => Buffer.from(text.replaceAll(':', ''), 'hex')
  return Buffer.concat([header, mac(to), mac('0e:00:00:00:00:01'), Buffer.from(type), packet])
}

/** Somebody who sends a datagram. */
export interface Sender {
  /** What they are called; it is the packet's payload. */
  readonly name: string
  readonly namespace: string
  /** The datagram's. */
  readonly source: string
  readonly to: string
  /** What it carries. */
  readonly datagram: (payload: Buffer) => Buffer
}

/** Who of these reaches a machine's pod. The last one is known to: when its packet is there, the others' had their time. */
export async function whoReaches(host: Host, port: number, senders: readonly Sender[]): Promise<readonly string[]> {
  const netns = netnsOpen(host.pod)
  const listening = capture(netns)
  const arrived = (): readonly string[] => {
    const texts = listening.frames.map((frame) => Buffer.from(frame).toString('latin1'))
    return senders.map(({ name }) => name).filter((name) => texts.some((text) => text.includes(`from ${name}.`)))
  }
  try {
    return await eventually(async () => {
      for (const { name, namespace, source, to, datagram } of senders) {
        await sendTo(namespace, datagram(Buffer.from(`from ${name}.`)), to, port, source)
      }
      const last = senders.at(-1)?.name ?? ''
      await eventually(async () => {
        if (!arrived().includes(last)) throw new Error(`nothing of ${last} arrives`)
      }, 1000)
      return arrived()
    }, PATIENCE)
  } finally {
    listening.close()
    closeFd(netns)
  }
}

/** Sends a datagram from one of a namespace's addresses. */
export async function sendTo(
  namespace: string,
  bytes: Buffer,
  to: string,
  port: number,
  source: string,
): Promise<void> {
  await inside(namespace, process.execPath, '-e', SEND, bytes.toString('hex'), to, String(port), source)
}

const SEND = `const [bytes, to, port, source] = process.argv.slice(1)
const socket = await Bun.udpSocket({ hostname: source })
socket.send(Buffer.from(bytes, 'hex'), Number(port), to)
setTimeout(() => process.exit(0), 50)`
