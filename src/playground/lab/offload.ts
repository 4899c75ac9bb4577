/**
 * Checksums in software on a cable whose frames a userspace switch reads: it sees frames before a card would finish them.
 * @module
 */
import { checked } from '../../linux/errno.ts'
import { AF_INET } from '../../linux/sockaddr.ts'
import { closeFd, openSocket, SOCK_DGRAM } from '../../linux/socket.ts'
import { systemCalls } from '../../linux/sys/addon.ts'

/** linux/ethtool.h. Segmentation offload goes with it: the kernel turns it off where checksums are off. */
const ETHTOOL_STXCSUM = 0x17

/** Turns transmit checksum offload of a link off, in the namespace of a descriptor. */
export function stopChecksumOffload(netns: number, link: string): void {
  const fd = openSocket(AF_INET, SOCK_DGRAM, 0, netns)
  try {
    const data = new Uint8Array(8)
    new DataView(data.buffer).setUint32(0, ETHTOOL_STXCSUM, true)
    checked(systemCalls().ethtool(fd, link, data), 'ethtool', link)
  } finally {
    closeFd(fd)
  }
}
