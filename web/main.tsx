import { render } from 'preact';
import { Dashboard } from './dashboard.js';
import { keepPulse } from './state/hub.js';
import './style/theme.css';
import './style/layout.css';
import './style/controls.css';
import './style/table.css';
import './style/pages.css';
import './style/trends.css';

keepPulse();
render(<Dashboard />, document.body);
