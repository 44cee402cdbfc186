import { useLayoutEffect, useRef } from 'preact/hooks'
import UPlot from 'uplot'
import { count, moment, size } from './format.ts'
import { isDark } from './screen.ts'
import type { Throughput } from './throughput.ts'

const height = 170

interface ChartProps {
  throughput: Throughput
  binMs: number
}

/** Bars of bytes, and a dot for each span with failures. The table below says the same to who does not see it. */
export function ThroughputChart({ throughput, binMs }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null)
  const chart = useRef<UPlot>(undefined)
  const data = chartData(throughput, binMs)
  const dark = isDark.value

  useLayoutEffect(() => {
    const element = frame.current
    if (element === null) return
    const made = new UPlot({ ...options(getComputedStyle(element), binMs), width: element.clientWidth }, data, element)
    chart.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
    }
    // Its colours are drawn, not styled.
  }, [dark, binMs])
  useLayoutEffect(() => chart.current?.setData(data), [data])

  return (
    <figure class="chart">
      <div ref={frame} aria-hidden="true" class="plot" />
      <details>
        <summary>As a table</summary>
        <ChartTable throughput={throughput} />
      </details>
    </figure>
  )
}

// uPlot counts time in seconds. Bars and dots stand in the middle of their span.
const chartData = ({ starts, bytes, failures }: Throughput, binMs: number): UPlot.AlignedData => [
  starts.map((start) => (start + binMs / 2) / 1000),
  bytes,
  failures.map((failed) => (failed === 0 ? null : failed)),
]

function options(style: CSSStyleDeclaration, binMs: number): Omit<UPlot.Options, 'width'> {
  const colour = (name: string) => style.getPropertyValue(name)
  const axis = {
    stroke: colour('--faint-drawn'),
    grid: { stroke: colour('--line-drawn'), width: 1 },
    ticks: { stroke: colour('--line-drawn'), width: 1 },
    font: '12px system-ui, sans-serif',
  }
  return {
    height,
    padding: [12, 8, 0, 0],
    cursor: { y: false, drag: { setScale: false, x: false } },
    scales: {
      x: { range: (_, min, max) => [min - binMs / 2000, max + binMs / 2000] },
      bytes: { range: (_, __, max) => [0, Math.max(max, 1) * 1.1] },
      failures: { range: (_, __, max) => [0, Math.max(max, 1) * 1.6] },
    },
    axes: [
      { ...axis, values: '{HH}:{mm}', space: 60, size: 30 },
      { ...axis, scale: 'bytes', size: 72, values: (_, ticks) => ticks.map(size) },
    ],
    series: [
      {
        label: 'From',
        value: (_, seconds) => (seconds === null ? '–' : moment(new Date(seconds * 1000 - binMs / 2), new Date())),
      },
      {
        label: 'Delivered',
        scale: 'bytes',
        fill: colour('--good-drawn'),
        stroke: colour('--good-drawn'),
        width: 0,
        points: { show: false },
        value: (_, bytes) => (bytes === null ? '–' : size(bytes)),
        ...(UPlot.paths.bars !== undefined && { paths: UPlot.paths.bars({ size: [0.9] }) }),
      },
      {
        label: 'Failed',
        scale: 'failures',
        stroke: colour('--bad-drawn'),
        paths: () => null,
        points: { show: true, size: 9, fill: colour('--bad-drawn') },
        value: (_, failed) => (failed === null ? '–' : count(failed)),
      },
    ],
  }
}

function ChartTable({ throughput: { starts, bytes, files, failures } }: { throughput: Throughput }) {
  const now = new Date()
  const busy = starts
    .map((start, bin) => ({ start, bytes: bytes[bin] ?? 0, files: files[bin] ?? 0, failures: failures[bin] ?? 0 }))
    .filter((bin) => bin.files > 0 || bin.failures > 0)
  return (
    <table class="plain">
      <thead>
        <tr>
          <th scope="col">From</th>
          <th scope="col">Files</th>
          <th scope="col">Size</th>
          <th scope="col">Failed deliveries</th>
        </tr>
      </thead>
      <tbody>
        {busy.map((bin) => (
          <tr key={bin.start}>
            <td>{moment(new Date(bin.start), now)}</td>
            <td>{count(bin.files)}</td>
            <td>{size(bin.bytes)}</td>
            <td>{count(bin.failures)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
