// What is on which page: one list for the sidebar, and the way from a file of the repository to a page.

/** Where the sources are shown. */
export const REPOSITORY = 'https://github.com/codejail/codejail-node';

/** Pages by task, as readers look for them: the name of a file in docs/ without `.md`, and what the sidebar calls it. */
export const SECTIONS = [
  {
    text: 'Begin',
    pages: [
      ['install', 'Install'],
      ['calls', 'Calls: in and out'],
      ['commands', 'Commands'],
    ],
  },
  {
    text: 'Tasks',
    pages: [
      ['grading', 'Grade an exercise'],
      ['contests', 'Judge a contest'],
      ['model-code', 'Run model-written code'],
      ['test-harness', 'A test harness'],
      ['sessions', 'Sessions'],
      ['mcp', "A language model's client (MCP)"],
      ['host-functions', 'Host functions'],
      ['migration', 'Migrate from CodeJail'],
    ],
  },
  {
    text: 'To know',
    pages: [
      ['limits', 'Limits and verdicts'],
      ['errors', 'Errors and what to do'],
      ['output', 'Output as it comes'],
      ['languages', 'Languages'],
      ['warm-pools', 'Warm pools'],
      ['command-line', 'Command line'],
    ],
  },
  {
    text: 'In production',
    pages: [
      ['operations', 'Operations'],
      ['capacity', 'Capacity'],
      ['bundlers', 'Bundlers, permission model'],
      ['security', 'Security'],
    ],
  },
  {
    text: 'Every kind of host',
    pages: [
      ['hosts', 'Which page is yours'],
      ['ordinary-user', 'An ordinary user'],
      ['service', 'Root, or a service'],
      ['container', 'A container'],
      ['ubuntu', 'Ubuntu, AppArmor'],
      ['cgroups', 'Cgroups'],
    ],
  },
  {
    text: 'Inside',
    collapsed: true,
    pages: [
      ['architecture', 'Architecture'],
      ['warm-python', 'Warm Python'],
      ['performance', 'Performance'],
      ['performance-history', 'What was tried'],
      ['testing', 'Tests'],
      ['dependencies', 'Dependencies'],
      ['changelog', 'Changelog'],
    ],
  },
];

/** Pages that are not in docs/. */
export const OTHER_FILES = { 'SECURITY.md': 'security', 'CHANGELOG.md': 'changelog' };

/** An anchor as GitHub makes it, so that a link works here and there. */
export const slugify = (heading) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}_\- ]/gu, '')
    .replaceAll(' ', '-');

/** The sections, and a last one of pages that are in none of them. */
export function sectionsWith(names) {
  const listed = new Set(SECTIONS.flatMap(({ pages }) => pages.map(([page]) => page)));
  const others = names.filter((name) => name !== 'index' && !listed.has(name));
  return others.length === 0
    ? SECTIONS
    : [...SECTIONS, { text: 'More', pages: others.map((name) => [name, name]) }];
}
