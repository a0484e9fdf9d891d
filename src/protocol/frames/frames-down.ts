import type { PublishedAdvertisement } from '../advertisement.js';
import type { Visibility } from '../answers.js';
import type { ErrorBody } from '../errors.js';
import type { RequestId } from './frames-up.js';

/** Why an advertisement left a stream. */
export type RemovalReason = 'expired' | 'withdrawn' | 'unmatched' | 'outranked';

/** One change of a stream's match set. */
export type StreamEvent =
  | { op: 'added' | 'updated'; advertisement: PublishedAdvertisement }
  | { op: 'removed'; provider_id: string; reason: RemovalReason };

/** The frames that the hub sends. Cursors are `"<epoch>:<seq>"`, times ISO 8601 UTC. */
export type DownFrame =
  | {
      type: 'welcome';
      version: number;
      epoch: string;
      /** 32 fresh bytes in hex, good for one authentication. */
      nonce: string;
      heartbeat_seconds: number;
      expiry_seconds: number;
      max_frame_bytes: number;
      server_time: string;
    }
  | {
      type: 'authenticated';
      id: RequestId;
      provider_id: string;
      advertisement: PublishedAdvertisement | null;
    }
  | { type: 'advertised'; id: RequestId; advertisement: PublishedAdvertisement }
  | { type: 'withdrawn'; id: RequestId }
  /** Unsolicited: the provider's advertisement was withdrawn by other means than this session. */
  | { type: 'removed'; reason: 'withdrawn' }
  | { type: 'heartbeat'; server_time: string }
  /** The cursor is null unless resumed. */
  | { type: 'subscribed'; id: RequestId; stream: string; cursor: string | null; resumed: boolean }
  | {
      type: 'snapshot';
      stream: string;
      /** Null until the last frame. */
      cursor: string | null;
      advertisements: PublishedAdvertisement[];
      last: boolean;
    }
  | { type: 'events'; stream: string; cursor: string; events: StreamEvent[] }
  | { type: 'bookmark'; cursor: string }
  | { type: 'unsubscribed'; id: RequestId; stream: string }
  | ({ type: 'visibility'; id: RequestId } & Visibility)
  | ({ type: 'error'; id?: RequestId } & ErrorBody);

export type DownType = DownFrame['type'];
/** One kind of frame from the hub. */
export type Down<Type extends DownType> = Extract<DownFrame, { type: Type }>;
