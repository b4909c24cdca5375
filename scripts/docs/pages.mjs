// The site's pages, laid out of the repository's files: links between files become links between pages.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, posix } from 'node:path';
import { OTHER_FILES, REPOSITORY } from '../../site/site.mjs';
import { root, ScriptError } from '../console.mjs';
import { site } from './tools.mjs';

/** Where the pages are laid. */
export const pages = join(site, 'pages');

const read = (path) => readFileSync(join(root, path), 'utf8');

/** The page that a file of the repository becomes; undefined where it becomes none. */
function pageOf(file) {
  if (OTHER_FILES[file] !== undefined) return OTHER_FILES[file];
  return /^docs\/[\w-]+\.md$/.test(file) ? basename(file, '.md') : undefined;
}

/** A link of a file, as it has to be on the site. */
function relink(file, target) {
  const [, path, anchor = ''] = /^([^#]*)(#.*)?$/.exec(target);
  if (path === '' || /^[a-z]+:/.test(path)) return target;
  const meant = posix.join(posix.dirname(file), path);
  const page = pageOf(meant);
  if (page !== undefined) return `./${page}.md${anchor}`;
  if (meant.endsWith('.svg')) return `./${basename(meant)}`;
  if (!existsSync(join(root, meant)))
    throw new ScriptError(`${file} links to ${target}, which is not there`);
  return `${REPOSITORY}/blob/main/${meant}${anchor}`;
}

const relinked = (file, text) =>
  text.replaceAll(/\]\(([^)\s]+)\)/g, (_, target) => `](${relink(file, target)})`);

function section(markdown, heading) {
  const found = new RegExp(`^## ${heading}\\n([^]*?)(?=^## |(?![^]))`, 'm').exec(markdown);
  if (found === null) throw new ScriptError(`README.md has no section "${heading}"`);
  return found[0];
}

/** The landing page has README's first program and its table of guarantees. */
function landing() {
  const readme = read('README.md');
  const [program] = /^```js\n[^]*?^```$/m.exec(readme);
  const guarantees = relinked('README.md', section(readme, 'What a jail guarantees'));
  return readFileSync(join(site, 'index.md'), 'utf8')
    .replace(
      '<!-- README -->',
      () => `${program}\n\n\`npm install codejail\`, and [go on](./install.md).`,
    )
    .replace('<!-- GUARANTEES -->', () => guarantees);
}

/** Lays all pages but those of the API. */
export function layPages() {
  rmSync(pages, { recursive: true, force: true });
  mkdirSync(pages, { recursive: true });
  const files = [
    ...readdirSync(join(root, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
    ...Object.keys(OTHER_FILES),
  ];
  for (const file of files) {
    writeFileSync(join(pages, `${pageOf(file)}.md`), relinked(file, read(file)));
  }
  writeFileSync(join(pages, 'index.md'), landing());
  cpSync(join(root, 'docs/warm-latency.svg'), join(pages, 'warm-latency.svg'));
  cpSync(join(site, 'public'), join(pages, 'public'), { recursive: true });
}
