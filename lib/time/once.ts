/** What `make` gives, made once for each key; a failure is tried again, since it may be cured. */
export async function once<T>(
  made: Map<string, Promise<T>>,
  key: string,
  make: () => Promise<T>,
): Promise<T> {
  const known = made.get(key) ?? make();
  made.set(key, known);
  try {
    return await known;
  } catch (error) {
    made.delete(key);
    throw error;
  }
}
