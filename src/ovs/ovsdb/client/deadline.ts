/** A signal that fires with the caller's own or after a time. `clear` it when done. */
export type Deadline = { readonly signal: AbortSignal; readonly timedOut: () => boolean; readonly clear: () => void }

/** Starts a deadline. An undefined time means none. */
export function startDeadline(timeoutMs: number | undefined, outer: AbortSignal | undefined): Deadline {
  const controller = new AbortController()
  let timedOut = false
  const abort = (): void => controller.abort()
  const expire = (): void => {
    timedOut = true
    controller.abort()
  }
  const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs)
  if (outer?.aborted) abort()
  else outer?.addEventListener('abort', abort, { once: true })
  return {
    signal: controller.signal,
    timedOut: () => timedOut,
    clear: () => {
      clearTimeout(timer)
      outer?.removeEventListener('abort', abort)
    },
  }
}
