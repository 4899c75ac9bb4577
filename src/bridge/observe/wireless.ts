/**
 * Whether a link is wireless, as the kernel's wireless extensions say (wireless.h).
 * @module
 */
import { AF_INET, closeFd, openSocket, SOCK_DGRAM, systemCalls } from '../../linux/index.ts'

/** Asks SIOCGIWNAME, which every other link refuses. */
export function isWireless(name: string): boolean {
  const fd = openSocket(AF_INET, SOCK_DGRAM, 0)
  try {
    const request = new Uint8Array(IFREQ)
    request.set(new TextEncoder().encode(name).subarray(0, 15))
    return systemCalls().ioctl(fd, SIOCGIWNAME, request) >= 0
  } finally {
    closeFd(fd)
  }
}

const SIOCGIWNAME = 0x8b01
/** Bytes of struct ifreq, and more. */
const IFREQ = 64
