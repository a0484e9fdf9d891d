import type { ComponentType, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { type PageName, PAGES } from './model/place.js';
import type { PageProps } from './pages/page-props.js';
import { Connection } from './parts/connection.js';
import { lazyPage } from './parts/lazy-page.js';
import { ThemeChoice } from './parts/theme-choice.js';
import { ProvidersPage } from './pages/providers/providers-page.js';
import { hubUrl } from './state/hub.js';
import { linkTo, place } from './state/place.js';

interface PageEntry {
  readonly title: string;
  readonly Page: ComponentType<PageProps>;
}

// Only the page that most visitors open first is loaded at once.
const ENTRIES: Readonly<Record<PageName, PageEntry>> = {
  providers: { title: 'Providers', Page: ProvidersPage },
  provider: {
    title: 'Provider',
    Page: lazyPage(async () => (await import('./pages/provider/provider-page.js')).ProviderPage),
  },
  market: {
    title: 'Market',
    Page: lazyPage(async () => (await import('./pages/market/market-page.js')).MarketPage),
  },
  map: { title: 'Map', Page: lazyPage(async () => (await import('./pages/map/map-page.js')).MapPage) },
  visible: {
    title: 'Am I visible?',
    Page: lazyPage(async () => (await import('./pages/visible/visible-page.js')).VisiblePage),
  },
  hub: { title: 'Hub', Page: lazyPage(async () => (await import('./pages/hub/hub-page.js')).HubPage) },
};

/** Reads a setting of the operator that the hub wrote into the page. */
const written = (name: string): string =>
  document.querySelector<HTMLMetaElement>(`meta[name=${name}]`)?.content ?? '';
/** Where to report vulnerabilities; empty if the operator set nothing. */
const securityContact = written('security-contact');
/** The operator's notice to all visitors; empty if there is none. */
const notice = written('notice');

/** The whole dashboard: header, footer and the page that the URL names. */
export function Dashboard(): JSX.Element {
  const { page, providerId } = place.value;
  const { title, Page } = ENTRIES[page];
  const main = useRef<HTMLElement>(null);
  const shown = `${page}/${providerId ?? ''}`;
  const first = useRef(shown);
  useEffect(() => {
    document.title = `${title} · VM discovery hub`;
    // After navigation, keyboard and screen reader users start at the top of the new page. The first page keeps its focus.
    if (first.current !== shown) main.current?.focus();
    first.current = shown;
  }, [shown, title]);
  return (
    <>
      <a class="skip" href="#content" onClick={(event) => skipTo(event, main.current)}>
        Skip to content
      </a>
      {notice !== '' && (
        <p class="banner" role="note">
          {notice}
        </p>
      )}
      <header class="top">
        <a class="home" href={linkTo('providers')}>
          <span class="home-sign" aria-hidden="true" />
          VM discovery
        </a>
        <nav aria-label="Pages">
          {PAGES.map((name) => (
            <a key={name} href={linkTo(name)} aria-current={name === page ? 'page' : undefined}>
              {ENTRIES[name].title}
            </a>
          ))}
        </nav>
        <div class="top-end">
          <Connection />
          <ThemeChoice />
        </div>
      </header>
      <main id="content" tabIndex={-1} ref={main}>
        <Page key={shown} providerId={providerId ?? ''} />
      </main>
      <footer>
        <a href={`${hubUrl}/docs`}>API</a>
        <a href={`${hubUrl}/docs/protocol.md`}>Protocol</a>
        <a href={`${hubUrl}/metrics`}>Metrics</a>
        <a href={`${hubUrl}/assets/licences.txt`}>Licences</a>
        {securityContact !== '' && <a href={securityContact}>Report a vulnerability</a>}
      </footer>
    </>
  );
}

function skipTo(event: Event, target: HTMLElement | null): void {
  // The URL fragment is the dashboard's route, so the link must not change it.
  event.preventDefault();
  target?.focus();
}
