// Made-up values that stand for patient data and secrets, each to be found again wherever it comes out, however it is spelt.

export interface Markers {
  /** A new marker for this field: ten letters and digits, so that it fits wherever names, labels and numbers do. */
  plant(field: string): string
  /** A secret that something else made up, such as a cookie; twice is once. */
  watch(field: string, value: string): void
  /** The fields whose markers the text holds in any form. */
  findIn(text: string): string[]
  values(): string[]
}

interface Needle {
  field: string
  value: string
  /** What to look for in text without regard to case, and in text as it is. */
  plain: readonly string[]
  exact: readonly string[]
}

export function createMarkers(): Markers {
  const needles: Needle[] = []
  let count = 0
  const watch: Markers['watch'] = (field, value) => {
    if (value.length < 8) throw new Error(`${field}: too short to be told from other text`)
    if (needles.some((known) => known.field === field && known.value === value)) return
    const cases = [value, value.toLowerCase(), value.toUpperCase()]
    const plain = [value.toLowerCase(), ...cases.map((each) => Buffer.from(each).toString('hex'))]
    needles.push({ field, value, plain, exact: cases.flatMap(base64Cores) })
  }
  return {
    plant(field) {
      count += 1
      const marker = `Qanary${String(count).padStart(2, '0')}Kz`
      watch(field, marker)
      return marker
    },
    watch,
    findIn(text) {
      const views = [text, percentDecoded(text), unicodeDecoded(text)]
      const folded = [...new Set(views)].map((view) => view.toLowerCase())
      const standard = text.replaceAll('-', '+').replaceAll('_', '/')
      const found = needles.filter(
        ({ plain, exact }) =>
          folded.some((view) => plain.some((form) => view.includes(form))) ||
          exact.some((form) => standard.includes(form)),
      )
      return [...new Set(found.map(({ field }) => field))]
    },
    values: () => needles.map(({ value }) => value),
  }
}

/** Also what was encoded more than once. */
function percentDecoded(text: string): string {
  let decoded = text
  for (let turn = 0; turn < 3 && decoded.includes('%'); turn += 1) {
    decoded = decoded.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  }
  return decoded
}

const unicodeDecoded = (text: string) =>
  text.replace(/\\u([0-9a-f]{4})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))

/** What stays the same of a text in base64, whatever stands before and after it there. */
function base64Cores(value: string): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.from('\0'.repeat(shift) + value).toString('base64')
    const wholeBytes = shift + Buffer.byteLength(value)
    // Six bits to a letter: those that carry bits of what surrounds the value are left out.
    return encoded.slice(Math.ceil((shift * 8) / 6), Math.floor((wholeBytes * 8) / 6))
  })
}
