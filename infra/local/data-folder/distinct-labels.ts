import { createHash } from 'node:crypto'

/** As much of a DICOM identifier as XNAT takes for a label; `''` stays `''`. */
export function cleanLabel(text: string): string {
  // XNAT: other characters make a 500, "Identifiers cannot use special characters." 64 is DICOM's own limit (VR LO).
  return text.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 64)
}

/** A few characters that stand for an identity which is no label itself. */
export function shortHash(identity: string): string {
  return hash(identity).slice(0, 8)
}

/**
 * Gives each thing the label it would like, or, where several would like the same, that label with a hash added.
 *
 * No two labels are alike, not even apart from upper and lower case. All who want the same label get a hash, of their
 * identity, so that labels do not depend on the order of things. Identities must differ.
 */
export function withDistinctLabels<Thing extends { identity: string }>(
  things: readonly Thing[],
  wishOf: (thing: Thing) => string,
): (Thing & { label: string })[] {
  const rivals = Map.groupBy(things, (thing) => wishOf(thing).toLowerCase())
  const taken = new Set(rivals.keys())
  return things.map((thing) => {
    const wish = wishOf(thing)
    if (rivals.get(wish.toLowerCase())?.length === 1) return { ...thing, label: wish }
    let label = wish
    for (let length = 8; taken.has(label.toLowerCase()); length += 1) {
      label = `${wish}-${hash(thing.identity).slice(0, length)}`
    }
    taken.add(label.toLowerCase())
    return { ...thing, label }
  })
}

function hash(identity: string): string {
  return createHash('sha256').update(identity).digest('hex')
}
