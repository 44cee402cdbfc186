import { render } from 'preact'
import 'uplot/dist/uPlot.min.css'
import { App } from './app.tsx'
import './page.css'
import './frame.css'
import './panels.css'
import './states.css'
import './tables.css'

const root = document.getElementById('console')
if (root !== null) render(<App />, root)
