// A table of any length: only the rows in sight are in the document. All rows are of one height, so nothing ever jumps.
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { isNarrow } from './screen.ts'

export interface Column<Row> {
  id: string
  title: ComponentChildren
  cell: (row: Row) => ComponentChildren
  /** Given, the column can be sorted by. */
  onSort?: () => void
  sorted?: 'ascending' | 'descending' | undefined
}

interface VirtualTableProps<Row> {
  label: string
  rows: readonly Row[]
  rowKey: (row: Row) => string
  columns: readonly Column<Row>[]
  /** In pixels: on wide screens, and on narrow ones, where a row's cells stand on several lines. */
  rowHeight: { wide: number; narrow: number }
  selection?: Selection | undefined
  /** In place of rows, while there are none. */
  children?: ComponentChildren
}

export interface Selection {
  isSelected: (key: string) => boolean
  /** Turns one row, or all from the one that was turned last. */
  onToggle: (index: number, isRange: boolean) => void
  onSelectAll: () => void
  onClear: () => void
}

/** Rows above and below those in sight, so that a quick scroll meets rows and not emptiness. */
const spare = 8

export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const { label, rows, rowKey, columns, rowHeight, selection, children } = props
  const height = isNarrow.value ? rowHeight.narrow : rowHeight.wide
  const scroller = useRef<HTMLDivElement>(null)
  const [sight, setSight] = useState({ top: 0, height: 0 })
  const [active, setActive] = useState(0)

  useLayoutEffect(() => {
    const element = scroller.current
    if (element === null) return
    const measure = () => setSight({ top: element.scrollTop, height: element.clientHeight })
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    element.addEventListener('scroll', measure, { passive: true })
    return () => {
      observer.disconnect()
      element.removeEventListener('scroll', measure)
    }
  }, [])

  const first = Math.max(0, Math.min(Math.floor(sight.top / height), rows.length - 1) - spare)
  const last = Math.min(rows.length, Math.ceil((sight.top + sight.height) / height) + spare)
  const current = Math.min(active, Math.max(rows.length - 1, 0))

  const moveTo = (index: number) => {
    const target = Math.max(0, Math.min(index, rows.length - 1))
    setActive(target)
    const element = scroller.current
    if (element === null) return
    const head = element.querySelector('thead')?.offsetHeight ?? 0
    if (target * height < element.scrollTop) element.scrollTop = target * height
    const below = (target + 1) * height + head - element.clientHeight
    if (below > element.scrollTop) element.scrollTop = below
  }

  const onKeyDown = (event: KeyboardEvent) => {
    if (selection === undefined) return
    const page = Math.max(Math.floor(sight.height / height) - 2, 1)
    const target = keyTarget(event.key, { current, page, length: rows.length })
    if (target !== undefined) {
      moveTo(target)
      if (event.shiftKey) selection.onToggle(target, true)
    } else if (event.key === ' ') selection.onToggle(current, event.shiftKey)
    else if (event.key === 'Escape') selection.onClear()
    else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) selection.onSelectAll()
    else return
    event.preventDefault()
  }

  const activeId = `${idOf(label)}-${current}`
  return (
    <div
      class="table-frame"
      ref={scroller}
      style={{ '--row': `${height}px` }}
      tabIndex={selection === undefined ? 0 : -1}
    >
      <table
        aria-label={label}
        aria-rowcount={rows.length + 1}
        class={`rows ${idOf(label)}`}
        {...(selection !== undefined && {
          role: 'grid',
          tabIndex: 0,
          'aria-multiselectable': true,
          ...(rows.length > 0 && { 'aria-activedescendant': activeId }),
          onKeyDown,
        })}
      >
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <HeadCell key={column.id} column={column} />
            ))}
          </tr>
        </thead>
        <tbody>
          <Gap height={first * height} />
          {rows.slice(first, last).map((row, offset) => {
            const index = first + offset
            const key = rowKey(row)
            return (
              <tr
                key={key}
                id={`${idOf(label)}-${index}`}
                aria-rowindex={index + 2}
                class={index === current && selection !== undefined ? 'active' : undefined}
                {...(selection !== undefined && {
                  'aria-selected': selection.isSelected(key),
                  onClick: (event: MouseEvent) => {
                    setActive(index)
                    selection.onToggle(index, event.shiftKey)
                  },
                })}
              >
                {columns.map(({ id, cell }) => (
                  <td key={id} class={id}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            )
          })}
          <Gap height={(rows.length - last) * height} />
        </tbody>
      </table>
      {rows.length === 0 && <div class="instead-of-rows">{children}</div>}
    </div>
  )
}

function HeadCell<Row>({ column: { id, title, onSort, sorted } }: { column: Column<Row> }) {
  if (onSort === undefined) {
    return (
      <th scope="col" class={id}>
        {title}
      </th>
    )
  }
  return (
    <th scope="col" class={id} aria-sort={sorted ?? 'none'}>
      <button type="button" class="sort" onClick={onSort}>
        {title}
        <span aria-hidden="true">{sorted === undefined ? '' : sorted === 'ascending' ? ' ↑' : ' ↓'}</span>
      </button>
    </th>
  )
}

function Gap({ height }: { height: number }) {
  // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a row without cells takes no focus.
  return height > 0 ? <tr class="gap" aria-hidden="true" style={{ height: `${height}px` }} /> : null
}

const idOf = (label: string) => label.toLowerCase().replaceAll(/[^a-z]+/g, '-')

/** Where a key leads from the current row; undefined for keys that lead nowhere. */
function keyTarget(
  key: string,
  { current, page, length }: { current: number; page: number; length: number },
): number | undefined {
  const targets: Readonly<Record<string, number>> = {
    ArrowDown: current + 1,
    ArrowUp: current - 1,
    PageDown: current + page,
    PageUp: current - page,
    Home: 0,
    End: length - 1,
  }
  return targets[key]
}
