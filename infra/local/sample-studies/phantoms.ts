// Bodies made of ellipsoids, cut by image planes or shone through: something to look at in every sample image.

/** Millimetres in DICOM patient coordinates: x to the patient's left, y to the back, z to the head. */
export type Point = readonly [x: number, y: number, z: number]

interface Organ<Tissue> {
  tissue: Tissue
  centre: Point
  radii: Point
}

/** Later organs lie inside earlier ones and hide them. */
export type Phantom<Tissue> = readonly Organ<Tissue>[]

/** Where an image lies: the centre of its first pixel, and the directions of a row and of a column. */
export interface ImagePlane {
  origin: Point
  row: Point
  column: Point
  pixelSpacing: number
  size: number
}

/** A square plane whose middle is `centre`. */
export function planeAround(centre: Point, geometry: Omit<ImagePlane, 'origin'>): ImagePlane {
  const half = (geometry.pixelSpacing * (geometry.size - 1)) / 2
  return { ...geometry, origin: along(along(centre, geometry.row, -half), geometry.column, -half) }
}

/** One value per pixel, row by row: that of the tissue at the pixel's centre. */
export function cut<Tissue extends string>(
  phantom: Phantom<Tissue>,
  plane: ImagePlane,
  values: Readonly<Record<Tissue | 'air', number>>,
): number[] {
  return pixelCentres(plane).map((point) => values[tissueAt(phantom, point)])
}

/** One value per pixel: what the tissues along a ray of `depth` millimetres, from the pixel to the back, add up to. */
export function shineThrough<Tissue extends string>(
  phantom: Phantom<Tissue>,
  plane: ImagePlane,
  ray: { depth: number; step: number; perMillimetre: Readonly<Record<Tissue | 'air', number>> },
): number[] {
  return pixelCentres(plane).map((point) => {
    let sum = 0
    for (let y = 0; y < ray.depth; y += ray.step) {
      sum += ray.step * ray.perMillimetre[tissueAt(phantom, along(point, [0, 1, 0], y))]
    }
    return sum
  })
}

function pixelCentres({ origin, row, column, pixelSpacing, size }: ImagePlane): Point[] {
  const points: Point[] = []
  for (let r = 0; r < size; r += 1) {
    const rowStart = along(origin, column, r * pixelSpacing)
    for (let c = 0; c < size; c += 1) points.push(along(rowStart, row, c * pixelSpacing))
  }
  return points
}

function tissueAt<Tissue extends string>(phantom: Phantom<Tissue>, point: Point): Tissue | 'air' {
  return phantom.findLast((organ) => isInside(organ, point))?.tissue ?? 'air'
}

function isInside({ centre, radii }: Organ<string>, [x, y, z]: Point): boolean {
  const [dx, dy, dz] = [(x - centre[0]) / radii[0], (y - centre[1]) / radii[1], (z - centre[2]) / radii[2]]
  return dx * dx + dy * dy + dz * dz <= 1
}

function along(start: Point, direction: Point, distance: number): Point {
  return [start[0] + distance * direction[0], start[1] + distance * direction[1], start[2] + distance * direction[2]]
}
