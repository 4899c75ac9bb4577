/**
 * Waiting in tests.
 * @module
 */

/** Waits until a check passes. Rejects with what it last threw. */
export async function eventually(check: () => void | Promise<void>): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    try {
      return await check()
    } catch (error) {
      if (turn > 4_000) throw error
      await Bun.sleep(5)
    }
  }
}
