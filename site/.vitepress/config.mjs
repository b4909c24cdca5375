import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { REPOSITORY, sectionsWith, slugify } from '../site.mjs';

const pages = fileURLToPath(new URL('../pages', import.meta.url));

const names = readdirSync(pages)
  .filter((file) => file.endsWith('.md'))
  .map((file) => file.replace(/\.md$/, ''));

const sections = sectionsWith(names).map(({ text, collapsed = false, pages: named }) => ({
  text,
  collapsed,
  items: named.map(([page, title]) => ({ text: title, link: `/${page}` })),
}));

const KINDS = [
  ['functions', 'Functions'],
  ['classes', 'Classes'],
  ['interfaces', 'Options and results'],
  ['type-aliases', 'Types'],
  ['variables', 'Constants'],
];

/** The names of a module, each kind a section. */
function apiSections(module, collapsed) {
  return KINDS.filter(([kind]) => existsSync(join(pages, 'api', module, kind))).map(
    ([kind, text]) => ({
      text,
      collapsed,
      items: readdirSync(join(pages, 'api', module, kind))
        .map((file) => file.replace(/\.md$/, ''))
        .sort((one, other) => one.localeCompare(other))
        .map((name) => ({ text: name, link: `/api/${module}/${kind}/${name}` })),
    }),
  );
}

const helpers = ['codejail/opentelemetry', 'codejail/prometheus'].map((module) => ({
  text: module,
  link: `/api/${module}/`,
  items: apiSections(module, false),
}));

export default defineConfig({
  title: 'codejail',
  description:
    'Runs untrusted programs from a Node.js server, in a locked-down process, and gives back what they printed, how they ended and what they used.',
  lang: 'en',
  srcDir: 'pages',
  outDir: 'dist',
  cleanUrls: false,
  // Else each page that is opened loads all that the sidebar shows.
  router: { prefetchLinks: false },
  lastUpdated: false,
  head: [
    ['link', { rel: 'icon', href: '/logo.svg', type: 'image/svg+xml' }],
    ['meta', { name: 'theme-color', content: '#1a7f37' }],
  ],
  markdown: { anchor: { slugify }, lineNumbers: false },
  themeConfig: {
    logo: '/logo.svg',
    nav: [
      { text: 'Install', link: '/install' },
      { text: 'Tasks', link: '/grading' },
      { text: 'Hosts', link: '/hosts' },
      { text: 'Security', link: '/security' },
      { text: 'API', link: '/api/codejail/', activeMatch: '^/api/' },
    ],
    sidebar: {
      '/api/': [
        { text: 'Guide', link: '/install' },
        { text: 'codejail', link: '/api/codejail/' },
        ...apiSections('codejail', false),
        ...helpers,
      ],
      '/': [...sections, { text: 'API reference', link: '/api/codejail/' }],
    },
    outline: { level: [2, 3] },
    search: { provider: 'local', options: { detailedView: true } },
    socialLinks: [{ icon: 'github', link: REPOSITORY }],
    footer: { message: 'Apache-2.0' },
  },
});
