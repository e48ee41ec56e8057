/** Wall-clock time of a time zone, fast enough for millions of conversions. Times are whole Unix seconds throughout. */
import { FormatError } from "../../base/errors.ts";

/** A time during which a zone's distance from UTC does not change. */
export interface Stretch {
  /** First second. */
  readonly from: number;
  /** First second behind it; Infinity when no change is known. */
  readonly to: number;
  /** What to add to a Unix time to get the wall clock, seconds. */
  readonly offset: number;
}

/** One time zone. It remembers the stretch used last, so times close to each other cost next to nothing. */
export class TimeZone {
  #last: Stretch;

  /** `id`: an IANA name such as `Europe/Vienna`, or `UTC`. Throws {@link FormatError} for one that is not known. */
  constructor(readonly id: string) {
    this.#last = this.#find(0);
  }

  /** The stretch that holds `seconds`. */
  stretchAt(seconds: number): Stretch {
    if (!(seconds >= this.#last.from && seconds < this.#last.to)) this.#last = this.#find(seconds);
    return this.#last;
  }

  /** What a clock on the wall shows at `seconds`, as if that were a Unix time. */
  wallClock(seconds: number): number {
    return seconds + this.stretchAt(seconds).offset;
  }

  #find(seconds: number): Stretch {
    try {
      const time = Temporal.Instant.fromEpochMilliseconds(seconds * 1000).toZonedDateTimeISO(this.id);
      return {
        from: epochSeconds(startOfStretch(time)) ?? -Infinity,
        to: epochSeconds(time.getTimeZoneTransition("next")) ?? Infinity,
        offset: Math.round(time.offsetNanoseconds / 1e9),
      };
    } catch (cause) {
      throw new FormatError(`no local time of '${this.id.slice(0, 64)}' for Unix time ${seconds}`, { cause });
    }
  }
}

/** The last change at or before `time`; asking for the previous one of its very second would skip it. */
function startOfStretch(time: Temporal.ZonedDateTime): Temporal.ZonedDateTime | null {
  return time.add({ nanoseconds: 1 }).getTimeZoneTransition("previous");
}

function epochSeconds(time: Temporal.ZonedDateTime | null): number | undefined {
  return time === null ? undefined : Math.floor(time.epochMilliseconds / 1000);
}
