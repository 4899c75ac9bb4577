/**
 * The addon's functions, as TypeScript sees them. Each returns what the system call returned (>= 0) or -errno, and
 * throws a TypeError with the code WEFT_SYS_ARGUMENT for an argument of the wrong type or range.
 * @module
 */

/** What recvmsg gives: bytes received, MSG_ flags, descriptors (close-on-exec, now the caller's), the sender's address. */
export interface ReceivedMessage {
  readonly n: number
  readonly flags: number
  readonly fds: readonly number[]
  readonly address: Uint8Array
}

export interface SystemCalls {
  socket(domain: number, type: number, protocol: number): number
  /** The same inside the network namespace of a descriptor; the thread is back home when it returns. */
  socketIn(nsFd: number, domain: number, type: number, protocol: number): number
  /** open(2) inside a network namespace: for /proc/sys/net and /proc/net. */
  openIn(nsFd: number, path: string, flags: number): number
  bind(fd: number, address: Uint8Array): number
  connect(fd: number, address: Uint8Array): number
  listen(fd: number, backlog: number): number
  accept4(fd: number, flags: number): number
  shutdown(fd: number, how: number): number
  /** Length of the address written to `out`. */
  getsockname(fd: number, out: Uint8Array): number
  send(fd: number, bytes: Uint8Array, flags: number): number
  sendto(fd: number, bytes: Uint8Array, flags: number, address: Uint8Array): number
  recv(fd: number, into: Uint8Array, flags: number): number
  recvfrom(fd: number, into: Uint8Array, flags: number): number | { readonly n: number; readonly address: Uint8Array }
  sendmsg(fd: number, bytes: Uint8Array, fds: readonly number[] | null, flags: number): number
  recvmsg(fd: number, into: Uint8Array, flags: number): number | ReceivedMessage
  setsockopt(fd: number, level: number, option: number, value: Uint8Array): number
  /** Length of the value written to `out`. */
  getsockopt(fd: number, level: number, option: number, out: Uint8Array): number
  ioctl(fd: number, request: number, data?: Uint8Array | number): number
  /** SIOCETHTOOL: `data` begins with the command (u32) and is overwritten with the answer. */
  ethtool(fd: number, name: string, data: Uint8Array): number
  setns(fd: number, type: number): number
  unshare(flags: number): number
  /** A descriptor of a fresh network namespace; the caller's thread never enters it. */
  newNetns(): number
  mount(source: string, target: string, type: string | null, flags: number, data: string | null): number
  umount2(target: string, flags: number): number
  flock(fd: number, operation: number): number
  dup(fd: number): number
  close(fd: number): number
  /** Once per program: `onReady` gets [token, events, token, events, …]. */
  watchStart(onReady: (ready: readonly number[]) => void): number
  watch(fd: number, events: number, token: number): number
  rearm(fd: number, events: number, token: number): number
  unwatch(fd: number): number
  watchHold(hold: number): number
  /** send(2) on a thread, on a duplicate of the descriptor. */
  sendBlocking(fd: number, bytes: Uint8Array): Promise<number>
}
