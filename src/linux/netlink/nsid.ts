/**
 * Which number a namespace has in another (RTM_GETNSID): links tell by it where their peer is (`parentNsId`).
 * @module
 */
import { NLM_F_ACK } from './constants.ts'
import { readAttributes } from './reader.ts'
import type { RtnlSocket } from './rtnl-socket.ts'

/** The number that the namespace of a descriptor has in the socket's own; undefined when it has none there. */
export function netnsNumber(rtnl: RtnlSocket, fd: number): number | undefined {
  const answers = rtnl.request({
    type: RTM_GETNSID,
    flags: NLM_F_ACK,
    about: `namespace of descriptor ${fd}`,
    // struct rtgenmsg, padded.
    fill: (writer) => writer.word(0).u32(NETNSA_FD, fd),
  })
  const answer = answers.find(({ type }) => type === RTM_NEWNSID)
  const number = answer && readAttributes(answer.body, 4).i32(NETNSA_NSID)
  return number === undefined || number < 0 ? undefined : number
}

const RTM_NEWNSID = 88
const RTM_GETNSID = 90
const NETNSA_NSID = 1
const NETNSA_FD = 3
