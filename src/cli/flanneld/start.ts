/**
 * `flanneld-start`, as Red Hat's package has it: what `/etc/sysconfig/flanneld` says in `FLANNEL_…` becomes flags. Pure.
 * Facts: the file and the unit of flannel's RPM, and etcd's own names in it.
 * @module
 */

/** A program's environment. */
type Environment = Readonly<Record<string, string | undefined>>

/** The flags of flanneld: the file's, then those that were written out, which win. */
export function startWords(words: readonly string[], env: Environment): readonly string[] {
  const endpoints = env['FLANNEL_ETCD_ENDPOINTS'] || env['FLANNEL_ETCD']
  const prefix = env['FLANNEL_ETCD_PREFIX'] || env['FLANNEL_ETCD_KEY']
  return [
    ...(endpoints ? [`-etcd-endpoints=${endpoints}`] : []),
    ...(prefix ? [`-etcd-prefix=${prefix}`] : []),
    // The unit may hand these over itself; without it they are ours to read.
    ...(words.length > 0 ? words : splitWords(env['FLANNEL_OPTIONS'] ?? '')),
  ]
}

/** Words as systemd and a shell part them, as far as quotes go. */
function splitWords(text: string): readonly string[] {
  const found = text.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)
  return [...found].map(([word]) => word.replace(/"([^"]*)"|'([^']*)'/g, (_, a?: string, b?: string) => a ?? b ?? ''))
}
