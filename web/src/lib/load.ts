// Loading what a view shows.
import { useCallback, useEffect, useState } from "react";

export type Loaded<T> = { state: "loading"; value?: T } | { state: "done"; value: T } | { state: "failed"; error: unknown; value?: T };

// useLoad runs load when the view appears and whenever load changes, so load
// has to be kept (useCallback). Without one it waits. Of several at once only
// the last counts.
export function useLoad<T>(load: (() => AsyncIterable<T>) | undefined): [Loaded<T>, again: () => void] {
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: "loading" });
  const [round, setRound] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round loads the same again
  useEffect(() => {
    if (load === undefined) return;
    let current = true;
    setLoaded({ state: "loading" });
    (async () => {
      let value: T | undefined;
      try {
        for await (value of load()) {
          if (!current) return;
          setLoaded({ state: "loading", value });
        }
        if (current) setLoaded({ state: "done", value: value as T });
      } catch (error) {
        if (current) setLoaded({ state: "failed", error, value });
      }
    })();
    return () => {
      current = false;
    };
  }, [load, round]);
  return [loaded, useCallback(() => setRound((n) => n + 1), [])];
}

// once turns a promise into what useLoad reads.
export async function* once<T>(promise: Promise<T>): AsyncGenerator<T> {
  yield await promise;
}
