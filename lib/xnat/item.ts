// XNAT's JSON for a single record (XDAT/xft/presentation/ItemJSONBuilder.java).
import * as z from 'zod'

export interface Item {
  /** Such as `xnat:mrSessionData`. */
  xsiType: string
  /** By XML path below the record: `ID`, `label`, `scanner/manufacturer`. Empty fields are absent. */
  fields: Readonly<Record<string, string>>
  /** Records below this one by XML path: `scans/scan`, `resources/resource`, `sharing/share`. */
  children: Readonly<Record<string, readonly Item[]>>
}

// XNAT: numbers are numbers here, unlike in listings; booleans are text.
const FieldValue = z.union([z.string(), z.number(), z.boolean(), z.null()])

const RawItem = z.object({
  meta: z.looseObject({ 'xsi:type': z.string() }),
  data_fields: z.record(z.string(), FieldValue),
  get children() {
    return z.array(z.object({ field: z.string(), items: z.array(RawItem) })).optional()
  },
})

/** The record of an item reply. */
export const ItemReply = z.object({ items: z.tuple([RawItem], RawItem) }).transform(({ items }) => toItem(items[0]))

function toItem(raw: z.infer<typeof RawItem>): Item {
  const fields = Object.entries(raw.data_fields).flatMap(([key, value]) =>
    value === null || value === '' ? [] : [[key, String(value)] as const],
  )
  return {
    xsiType: raw.meta['xsi:type'],
    fields: Object.fromEntries(fields),
    children: Object.fromEntries((raw.children ?? []).map(({ field, items }) => [field, items.map(toItem)])),
  }
}
