/** A program that dies at some request to the kernel, for tests. */
import { openRtnl, type RtnlSocket } from '../netlink/rtnl-socket.ts'

/** Sockets that die together: after so many requests nothing is done any more, not even by who cleans up. */
export function crashesAfter(steps: number): typeof openRtnl {
  let left = steps
  const spend = (): void => {
    if (left <= 0) throw new Error('crashed')
    left -= 1
  }
  return (options) => {
    const socket = openRtnl(options)
    const request: RtnlSocket['request'] = (one) => {
      spend()
      return socket.request(one)
    }
    const requestSlow: RtnlSocket['requestSlow'] = async (one) => {
      spend()
      return socket.requestSlow(one)
    }
    return { ...socket, request, requestSlow }
  }
}
