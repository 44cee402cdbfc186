// `npm run bench [name ...]`: measurements, one module each; all of them without a name.
const benches: Record<string, () => Promise<{ run: () => Promise<void> }>> = {
  memory: () => import('./memory.ts'),
  delivery: () => import('./delivery.ts'),
  switch: () => import('./switch.ts'),
  client: () => import('./client.ts'),
  status: () => import('./status.ts'),
  sweep: () => import('./sweep.ts'),
  cohort: () => import('./cohort.ts'),
  provision: () => import('./provision.ts'),
  download: () => import('./download.ts'),
  cold: () => import('./cold.ts'),
}

const names = process.argv.slice(2)
const unknown = names.filter((name) => !(name in benches))
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}. There are: ${Object.keys(benches).join(', ')}`)
  process.exitCode = 2
} else {
  for (const [name, load] of Object.entries(benches)) {
    if (names.length > 0 && !names.includes(name)) continue
    console.log(`== ${name}`)
    await (await load()).run()
  }
}
