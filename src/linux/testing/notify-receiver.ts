/** The service manager's end of NOTIFY_SOCKET, for tests. */
import { checked, Errno } from '../errno.ts'
import { ready } from '../poller.ts'
import { AF_UNIX, encodeSockaddr, type SocketAddress } from '../sockaddr.ts'
import { closeFd, MSG_DONTWAIT, openSocket, SOCK_DGRAM } from '../socket.ts'
import { systemCalls } from '../sys/addon.ts'

const PATIENCE_MS = 20_000
const LARGEST = 4096

/** What a test can do with it. */
export interface Receiver {
  /** Everything that has arrived. */
  read(): readonly string[]
  /** The next notification, whenever it comes. */
  next(): Promise<string>
  /** Leaves no room for more; returns what it filled it with. */
  fill(): readonly string[]
  close(): void
}

/** A datagram socket at an address. */
export function openReceiver(address: SocketAddress): Receiver {
  const calls = systemCalls()
  const target = encodeSockaddr(address)
  const fd = openSocket(AF_UNIX, SOCK_DGRAM, 0)
  checked(calls.bind(fd, target), 'bind')
  const one = (): string | undefined => {
    const bytes = new Uint8Array(LARGEST)
    const length = calls.recv(fd, bytes, MSG_DONTWAIT)
    return length < 0 ? undefined : new TextDecoder().decode(bytes.subarray(0, length))
  }
  const read = (): readonly string[] => {
    const text = one()
    return text === undefined ? [] : [text, ...read()]
  }
  const next = async (): Promise<string> => {
    await ready(fd, 'read', PATIENCE_MS)
    return one() ?? next()
  }
  const fill = (): readonly string[] => {
    const sender = openSocket(AF_UNIX, SOCK_DGRAM, 0)
    const sent: string[] = []
    let result = 0
    while (result >= 0) {
      const text = `FILLER=${sent.length}`
      result = calls.sendto(sender, new TextEncoder().encode(text), MSG_DONTWAIT, target)
      if (result >= 0) sent.push(text)
    }
    if (result !== -Errno.EAGAIN) checked(result, 'sendto')
    closeFd(sender)
    return sent
  }
  return { read, next, fill, close: () => closeFd(fd) }
}
