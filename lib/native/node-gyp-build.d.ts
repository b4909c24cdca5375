declare module 'node-gyp-build' {
  interface Load {
    (directory: string): unknown;
    /** The path of the binary that would be loaded; throws where there is none. */
    resolve(directory: string): string;
  }
  const load: Load;
  export = load;
}
