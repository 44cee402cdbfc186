// XNAT shows dates in server time without a zone; the stand-in's server time is UTC.

/** `2024-01-31 10:00:00.0`, as lists show timestamps. */
export function listTimestamp(iso: string): string {
  const [seconds = '', fraction = '0'] = iso.replace('T', ' ').replace('Z', '').split('.')
  return `${seconds}.${fraction.replace(/0+$/, '') || '0'}`
}

/** `Wed Nov 04 13:20:00 UTC 2015`, as items show when a record began. */
export function javaDate(iso: string): string {
  const date = new Date(iso)
  const [weekday = '', day = '', month = '', year = ''] = date.toUTCString().replace(',', '').split(' ')
  return `${weekday} ${month} ${day} ${iso.slice(11, 19)} UTC ${year}`
}
