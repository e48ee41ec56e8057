/** Streams that own something (a lock, a lease) which has to be given back however the stream ends. */

/**
 * `source` as a stream that calls `release` exactly once: at its end, at an error, or when the reader goes away, even
 * before it has read anything (a generator alone would not notice that).
 */
export function ownedStream(source: AsyncIterable<Uint8Array>, release: () => void): AsyncIterable<Uint8Array> {
  let released = false;
  const end = () => {
    if (!released) release();
    released = true;
  };
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]();
      return {
        async next() {
          try {
            const step = await iterator.next();
            if (step.done) end();
            return step;
          } catch (error) {
            end();
            throw error;
          }
        },
        async return() {
          try {
            await iterator.return?.();
          } finally {
            end();
          }
          return { done: true, value: undefined };
        },
      };
    },
  };
}
