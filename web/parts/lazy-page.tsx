import type { ComponentType, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { signal } from '@preact/signals';
import type { PageProps } from '../pages/page-props.js';

/** A page whose script is loaded when it is first shown. */
export function lazyPage(load: () => Promise<ComponentType<PageProps>>): ComponentType<PageProps> {
  const loaded = signal<ComponentType<PageProps> | null>(null);
  const hasFailed = signal(false);
  return function LazyPage(props: PageProps): JSX.Element {
    useEffect(() => {
      hasFailed.value = false;
      load().then(
        (page) => {
          loaded.value = page;
        },
        () => {
          hasFailed.value = true;
        },
      );
    }, []);
    const Page = loaded.value;
    if (Page !== null) return <Page {...props} />;
    if (!hasFailed.value) return <p class="loading">Loading …</p>;
    return (
      <p class="notice" role="alert">
        This page could not be loaded.{' '}
        <a href={location.href} onClick={() => location.reload()}>
          Try again
        </a>
      </p>
    );
  };
}
