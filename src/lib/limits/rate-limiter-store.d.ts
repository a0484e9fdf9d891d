/**
 * The base class of the library's limiters, which its main module does not export. This declares what a limiter with its own store
 * has to implement.
 */
declare module 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js' {
  import type { RateLimiterRes, RateLimiterStoreAbstract } from 'rate-limiter-flexible';

  abstract class Store extends RateLimiterStoreAbstract {
    /** Adds points. Starts a new window of this many milliseconds if there is none, or if forced to. */
    protected abstract _upsert(
      key: string,
      points: number,
      msDuration: number,
      beginAnew: boolean,
    ): Promise<unknown>;
    protected abstract _get(key: string): Promise<unknown>;
    protected abstract _delete(key: string): Promise<boolean>;
    /** @param stored What `_upsert` or `_get` resolved with. */
    protected abstract _getRateLimiterRes(
      key: string,
      changedPoints: number,
      stored: unknown,
    ): RateLimiterRes;
  }

  export default Store;
}
