// Debian packages of another release or architecture, unpacked and not installed: the host's own apt is left alone.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../console.mjs';

const KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** An apt of its own below a folder that apt may write to. */
export class Apt {
  #settings;
  #archives;

  /** @param sources of Debian's archives: `['debian', 'trixie']` */
  static async in(work, sources, architecture) {
    const apt = new Apt(work, sources, architecture);
    await run('apt-get', [...apt.#settings, 'update', '-qq']);
    return apt;
  }

  constructor(work, sources, architecture) {
    this.#archives = join(work, 'cache/archives');
    const lists = join(work, 'lists');
    for (const folder of [lists, this.#archives]) {
      mkdirSync(join(folder, 'partial'), { recursive: true });
    }
    const list = join(work, 'sources.list');
    const options = [
      ...(architecture === undefined ? [] : [`arch=${architecture}`]),
      `signed-by=${KEYS}`,
    ];
    writeFileSync(
      list,
      sources
        .map(
          ([archive, suite]) =>
            `deb [${options.join(' ')}] http://deb.debian.org/${archive} ${suite} main\n`,
        )
        .join(''),
    );
    // Nothing is installed, so that all of what a package depends on is fetched.
    const status = join(work, 'status');
    writeFileSync(status, '');
    this.#settings = [
      `Dir::Etc::SourceList=${list}`,
      'Dir::Etc::SourceParts=/dev/null',
      `Dir::State::Lists=${lists}`,
      `Dir::Cache=${join(work, 'cache')}`,
      'APT::Sandbox::User=root',
      'Acquire::Languages=none',
      ...(architecture === undefined
        ? []
        : [
            `Dir::State::status=${status}`,
            `APT::Architecture=${architecture}`,
            `APT::Architectures::=${architecture}`,
            'APT::Install-Recommends=false',
            'Debug::NoLocking=1',
          ]),
    ].flatMap((setting) => ['-o', setting]);
  }

  /** Fetches packages, and no other. */
  async fetch(names) {
    const words = ['cd "$0" && apt-get "$@"', this.#archives, ...this.#settings];
    await run('sh', ['-c', ...words, 'download', '-qq', ...names]);
  }

  /** Fetches packages with all that they depend on. */
  async fetchAll(names) {
    await run('apt-get', [...this.#settings, '-y', '-qq', '--download-only', 'install', ...names]);
  }

  /** The newest package whose name matches. */
  async newest(pattern) {
    const found = await run('apt-cache', [
      ...this.#settings,
      'search',
      '--names-only',
      pattern.source,
    ]);
    return newestOf(found);
  }

  /** Unpacks all that was fetched into a folder, whose symbolic links to directories stay. */
  async unpack(tree) {
    mkdirSync(tree, { recursive: true });
    for (const name of readdirSync(this.#archives).filter((file) => file.endsWith('.deb'))) {
      const archive = join(this.#archives, name);
      await run('sh', [
        '-ec',
        'dpkg-deb --fsys-tarfile "$0" | tar -x --keep-directory-symlink -p -f - -C "$1"',
        ...[archive, tree],
      ]);
    }
  }
}

/** The newest of the packages that `apt-cache search` lists; undefined where it lists none. */
export function newestOf(listing) {
  return listing
    .split('\n')
    .map((line) => line.split(' ')[0])
    .filter((name) => name !== '' && !/dbg|template|unsigned/.test(name))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .at(-1);
}
