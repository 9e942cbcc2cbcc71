import type { ModelRateLimiter, RequestKind, RequestSlot } from '../../src/core/model-rate-limiter.ts';

interface Reserved {
  readonly id: string;
  readonly kind: RequestKind;
  readonly holder: string | undefined;
  at: number;
}

/** The model's rate limiter in memory: a request of a kind every so many milliseconds; where no gap is named, any number. */
export function memoryRateLimiter(
  gaps: Partial<Record<RequestKind, number>> = {},
  now: () => number = () => performance.now(),
): ModelRateLimiter & { readonly waiting: () => number } {
  let serial = 0;
  let reserved: Reserved[] = [];
  const blockedUntil = new Map<RequestKind, number>();
  const waiting = (kind: RequestKind): Reserved[] =>
    reserved.filter((one) => one.kind === kind && one.at > now());
  const toSlot = ({ id, kind, at }: Reserved): RequestSlot => {
    const ahead = waiting(kind).filter((one) => Number(one.id) < Number(id)).length;
    return { id, waitMs: at - now(), ahead };
  };
  /** Gives what waits new times, in its order. */
  const reschedule = (kind: RequestKind): void => {
    const moved = waiting(kind);
    const gone = reserved.filter((one) => one.kind === kind && !moved.includes(one));
    let last = Math.max(...gone.map(({ at }) => at), Number.NEGATIVE_INFINITY);
    for (const one of moved) {
      one.at = Math.max(now(), last + (gaps[kind] ?? 0), blockedUntil.get(kind) ?? 0);
      last = one.at;
    }
  };
  return {
    waiting: () => reserved.filter(({ at }) => at > now()).length,
    async reserve(kind, holder) {
      if (!gaps[kind]) return { id: '', waitMs: 0, ahead: 0 };
      const kept = holder && waiting(kind).find((one) => one.holder === holder);
      if (kept) return toSlot(kept);
      const one: Reserved = { id: String(++serial), kind, holder, at: Number.POSITIVE_INFINITY };
      reserved.push(one);
      reschedule(kind);
      return toSlot(one);
    },
    async tryReserve(kind, withinMs) {
      const slot = await this.reserve(kind);
      if (slot.waitMs <= withinMs) return slot;
      await this.release(slot.id);
      return null;
    },
    async find(id) {
      const one = reserved.find((other) => other.id === id);
      return one ? toSlot(one) : null;
    },
    async release(id) {
      const one = reserved.find((other) => other.id === id);
      if (!one || one.at <= now()) return;
      reserved = reserved.filter((other) => other !== one);
      reschedule(one.kind);
    },
    learn: async () => {},
    async blockFor(kind, ms) {
      if (!gaps[kind]) return false;
      blockedUntil.set(kind, Math.max(blockedUntil.get(kind) ?? 0, now() + ms));
      reschedule(kind);
      return true;
    },
  };
}
