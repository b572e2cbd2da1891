// Owns: a map that forgets what was longest untouched, so that no sender can make it grow.

export interface BoundedMap<K, V> {
  /** Touches: what is asked for stays longest. */
  get(key: K): V | undefined;
  set(key: K, value: V): void;
  delete(key: K): void;
  readonly size: number;
}

export function boundedMap<K, V>(max: number, forgotten?: (value: V, key: K) => void): BoundedMap<K, V> {
  const map = new Map<K, V>();
  return {
    get(key) {
      const value = map.get(key);
      if (value === undefined) return undefined;
      map.delete(key);
      map.set(key, value);
      return value;
    },
    set(key, value) {
      map.delete(key);
      map.set(key, value);
      if (map.size <= max) return;
      const [oldest, gone] = map.entries().next().value!;
      map.delete(oldest);
      forgotten?.(gone, oldest);
    },
    delete: (key) => void map.delete(key),
    get size() {
      return map.size;
    },
  };
}
