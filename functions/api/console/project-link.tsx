import { linkTo } from './places.ts'

/** A project as a key or an order names it. The hub's id of one, `hub:...`, is none of XNAT's, and leads nowhere. */
export const ProjectLink = ({ id }: { id: string }) =>
  id.startsWith('hub:') ? <span>{id}</span> : <a href={linkTo(['projects', id])}>{id}</a>
