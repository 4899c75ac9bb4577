/**
 * Settings that cannot be used.
 * @module
 */

/** Every problem of a settings file in one error; the message names keys and values, the remedies are in it. */
export class SettingsError extends Error {
  readonly code: 'SETTINGS_INVALID' | 'SETTINGS_UNREADABLE'
  readonly remedy: string

  constructor(code: SettingsError['code'], message: string, remedy: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SettingsError'
    this.code = code
    this.remedy = remedy
  }
}
