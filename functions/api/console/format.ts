// Numbers, sizes and times as an operator reads them. Times are those of the operator's own clock.

const whole = new Intl.NumberFormat('en-GB')
export const count = (value: number) => whole.format(value)

/** `1 study`, `12 studies` */
export const counted = (value: number, one: string, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** In powers of a thousand, with three digits. */
export function size(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1)
  const value = bytes / 1000 ** power
  return `${power === 0 ? value : value.toPrecision(3)} ${units[power]}`
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const clockWithSeconds = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const day = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short' })
const dayOfYear = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short', year: 'numeric' })

const isSameDay = (one: Date, other: Date) => one.toDateString() === other.toDateString()

/** `07:00` today, `12 Mar 07:00` in this year, else with the year. */
export function moment(time: Date, now: Date): string {
  if (isSameDay(time, now)) return clock.format(time)
  const days = time.getFullYear() === now.getFullYear() ? day : dayOfYear
  return `${days.format(time)} ${clock.format(time)}`
}

export const exactClock = (time: Date) => clockWithSeconds.format(time)

/** How long something took or is away: `12 s`, `3 min`, `5 h`, `4 d`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 90_000) return `${Math.round(ms / 1_000)} s`
  if (ms < 5_400_000) return `${Math.round(ms / 60_000)} min`
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`
  return `${Math.round(ms / 86_400_000)} d`
}

/** `in 5 min`, or `now` for what is due. */
export function until(time: Date, now: Date): string {
  const ms = time.getTime() - now.getTime()
  return ms <= 0 ? 'now' : `in ${duration(ms)}`
}

/** Never `100 %` of what is not whole, nor `0 %` of what has begun. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '–'
  if (part === whole) return '100 %'
  return `${part === 0 ? 0 : Math.min(Math.max(Math.round((part / whole) * 100), 1), 99)} %`
}
