/**
 * What stands between the machine and a container's program: a shell script that becomes process 1 of the container's
 * own pid namespace, gives it its own view of the machine, starts the program, passes signals on and buries orphans.
 *
 * This is no security boundary: the program is root on this machine with a few things moved out of its sight.
 * @module
 */

/** Where a container differs from the machine. */
export interface View {
  readonly hostname: string
  readonly workingDir: string
  /** Folders that hold the playground's keys and sockets: hidden. */
  readonly hidden: string
  /** The program's own folder: must stay visible, also below /tmp. */
  readonly kept: string
}

/** The script's file name. */
export const SCRIPT_FILE = 'init'

/**
 * The arguments of `sh`, in the folder that holds the script, for a view and a program. The script writes
 * `<pid> <start>` of process 1, as the machine knows it, to descriptor 3 when the program has been started.
 */
export function shellArguments(
  { hostname, workingDir, hidden, kept }: View,
  program: readonly string[],
): readonly string[] {
  return [SCRIPT_FILE, hostname, workingDir, hidden, kept, ...program]
}

/**
 * - /proc is still the machine's in the first lines: there process 1 finds the number that the machine knows it by.
 * - The names under /run/netns are let go: copies would keep other pods' networks alive after their end.
 * - `mount -c` takes paths as they are: the working folder may be below a folder that is covered by then.
 * - A shell starts what runs in the background deaf to SIGINT and SIGQUIT; `env` undoes that.
 */
export const SCRIPT = `
set -u
user_path=\${PATH-}
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
hostname=$1 dir=$2 hidden=$3 kept=$4
shift 4
field() { shift 19; started=$1; }
read -r line < /proc/self/stat
pid=\${line%% *}
field \${line##*) }
quietly() { "$@" 2> /dev/null || :; }
cover() {
  case "$kept/" in
    "$1"/*)
      mount -n --bind "$kept" /mnt && mount -n -t tmpfs -o mode=$2 tmpfs "$1" && mkdir -p "$kept" &&
        mount -n --move /mnt "$kept"
      ;;
    *) mount -n -t tmpfs -o mode=$2 tmpfs "$1" ;;
  esac
}
quietly umount -R -l /run/netns
while read -r _ target _; do
  case "$target" in /run/netns/*) quietly umount -l "$(printf %b "$target")" ;; esac
done <<MOUNTS
$(cat /proc/mounts)
MOUNTS
hostname -- "$hostname"
quietly mount -t sysfs -o ro sysfs /sys
mount -t proc proc /proc
quietly mount -t tmpfs -o mode=1777 tmpfs /dev/shm
while read -r _ target _; do
  case "$target" in /proc|/proc/*|/sys|/sys/*|/dev|/dev/*|/run/netns*) continue ;; esac
  quietly mount -c -o remount,bind,ro "$(printf %b "$target")"
done < /proc/mounts
cover /tmp 1777
cover /run 755
[ -d "$hidden" ] && quietly mount -t tmpfs -o ro tmpfs "$hidden"
for file in resolv.conf hosts hostname; do
  target=$(readlink -m "/etc/$file")
  case "$target" in /run/*) quietly mkdir -p "\${target%/*}"; [ -e "$target" ] || quietly touch "$target" ;; esac
  quietly mount -c --bind "$file" "$target"
done
quietly cd "$dir"
env --default-signal=INT,QUIT true 2> /dev/null && set -- env --default-signal=INT,QUIT -- "$@"
export PATH="$user_path"
"$@" 3>&- &
child=$!
for signal in TERM INT HUP QUIT USR1 USR2; do trap "kill -$signal $child 2> /dev/null" $signal; done
echo "$pid $started" >&3
exec 3>&- 2> /dev/null
while :; do
  wait $child
  code=$?
  kill -0 $child 2> /dev/null || exit $code
done
`
