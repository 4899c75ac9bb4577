/**
 * What etcd says when it refuses something. Who answers may repeat what it was told (a proxy does, or what is no etcd at
 * all), and that may hold a password or a token: only sentences that are known here are repeated, in the copy that is here.
 * Facts: etcd 3.4 and 3.5, `rpctypes/error.go`, `etcdserver/errors.go`, v2's `errorcode.md`, and gRPC for Go.
 * @module
 */

/** A known sentence in somebody's text, the longest of several. */
export function sentenceIn(text: string): string | undefined {
  return LONGEST_FIRST.find((sentence) => text.includes(sentence))
}

const OF_V3 = [
  'authentication failed, invalid user ID or password',
  'authentication is not enabled',
  'corrupt cluster',
  'duplicate key given in txn request',
  'invalid auth management',
  'invalid auth token',
  'key is not provided',
  'key not found',
  'leader changed',
  'learner is not ready',
  'mvcc: database space exceeded',
  'mvcc: required revision has been compacted',
  'mvcc: required revision is a future revision',
  'no leader',
  'not capable',
  'not leader',
  'permission denied',
  'permission is not granted to the role',
  'request is too large',
  'request timed out',
  'request timed out, possibly due to connection lost',
  'request timed out, possibly due to previous leader failure',
  'request timed out, waiting for the applied index took too long',
  'revision of auth store is old',
  'role is not granted to the user',
  'role name not found',
  'root user does not exist',
  'root user does not have root role',
  'rpc not supported for learner',
  'server stopped',
  'too many operations in txn request',
  'too many requests',
  'unhealthy cluster',
  'user name is empty',
  'user name not found',
  'watch canceled',
].map((sentence) => `etcdserver: ${sentence}`)

const OF_V2 = [
  'Compare failed',
  'Directory not empty',
  'During Leader Election',
  'Insufficient credentials',
  'Internal Server Error',
  'Invalid POST form',
  'Invalid field',
  'Key already exists',
  'Key not found',
  'Not a directory',
  'Not a file',
  'Raft Internal Error',
  'Root is read only',
  'The event in requested index is outdated and cleared',
  'The given index in POST form is not a number',
  'The prefix of given key is a keyword in etcd',
  'The request requires user authentication',
  'watcher is cleared due to etcd recovery',
]

const OF_GRPC = [
  'authentication handshake failed',
  'client connection is closing',
  'connection closed',
  'connection error',
  'connection refused',
  'context canceled',
  'context deadline exceeded',
  'transport is closing',
  'unknown method',
  'unknown service',
]

const LONGEST_FIRST = [...OF_V3, ...OF_V2, ...OF_GRPC].sort((a, b) => b.length - a.length)
