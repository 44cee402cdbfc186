export interface Progress {
  doneBytes: number
  totalBytes: number
}
