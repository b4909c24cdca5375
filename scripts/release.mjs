// Makes a release, up to the moment before it is public: what is checked is what would be published. Prints what is left to be
// typed, and types none of it.
//   --packed   takes the tarballs that `npm run prebuilds` has left, where they are of this version and this tree
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { main, root, run, ScriptError, step } from './console.mjs';
import { makePlan } from './prebuilds/plan.mjs';

const { values } = parseArgs({ options: { packed: { type: 'boolean', default: false } } });
const tarballs = join(root, 'prebuilds');

const read = (path) => readFileSync(join(root, path), 'utf8');
const git = (...words) => execFileSync('git', words, { cwd: root, encoding: 'utf8' }).trim();

/** Every reason against it, at once. */
function objections(version) {
  const found = [];
  const changes = git('status', '--porcelain');
  if (changes !== '') found.push(`the tree is not clean:\n${changes}`);
  if (!/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)) found.push(`"${version}" is no version`);
  const tag = `v${version}`;
  if (git('tag', '--list', tag) !== '') {
    found.push(`there is a tag ${tag} already: raise the version in package.json`);
  }
  if (JSON.parse(read('package-lock.json')).version !== version) {
    found.push('package-lock.json has another version: npm install --package-lock-only');
  }
  const changelog = read('CHANGELOG.md');
  const [, unreleased = ''] = /^## Unreleased\n([^]*?)(?=^## |$(?![^]))/m.exec(changelog) ?? [];
  if (
    !new RegExp(`^## ${version.replaceAll('.', '\\.')} - \\d{4}-\\d\\d-\\d\\d$`, 'm').test(
      changelog,
    )
  ) {
    found.push(`CHANGELOG.md has no heading "## ${version} - YYYY-MM-DD"`);
  } else if (unreleased.trim() !== '') {
    found.push(`CHANGELOG.md has something under "Unreleased" yet, which would be in ${version}`);
  }
  return found;
}

const manifestIn = (path) =>
  JSON.parse(execFileSync('tar', ['-xzOf', path, 'package/package.json'], { encoding: 'utf8' }));

/** What a platform's package must have, and has not. */
function missingIn(path) {
  const names = execFileSync('tar', ['-tzf', path], { encoding: 'utf8' }).split('\n');
  return makePlan()
    .map(({ file }) => file)
    .filter((file) => !names.includes(`package/${file}`));
}

/** The tarballs, those of platforms first: the main package must find them when it is published. */
function packed(version) {
  const found = (existsSync(tarballs) ? readdirSync(tarballs) : [])
    .filter((name) => name.endsWith('.tgz'))
    .map((name) => {
      const path = join(tarballs, name);
      return { path, manifest: manifestIn(path), madeAt: statSync(path).mtimeMs };
    });
  const mainOne = found.find(({ manifest }) => manifest.name === 'codejail');
  if (mainOne === undefined) throw new ScriptError('there are no tarballs: leave --packed out');
  const { optionalDependencies } = mainOne.manifest;
  const platforms = Object.keys(optionalDependencies).map((wanted) => {
    const one = found.find(({ manifest }) => manifest.name === wanted);
    if (one === undefined) throw new ScriptError(`there is no tarball of ${wanted}`);
    const missing = missingIn(one.path);
    if (missing.length > 0) throw new ScriptError(`${one.path} lacks ${missing.join(', ')}`);
    return one;
  });
  const all = [...platforms, mainOne];
  const committedAt = Number(git('log', '-1', '--format=%ct')) * 1000;
  for (const { path, manifest, madeAt } of all) {
    if (manifest.version !== version)
      throw new ScriptError(`${path} is version ${manifest.version}`);
    if (madeAt < committedAt)
      throw new ScriptError(`${path} is older than the last commit: leave --packed out`);
    if (manifest.private === true) throw new ScriptError(`${path} is private`);
  }
  return all;
}

const publication = (path) => ['publish', path, '--access', 'public', '--provenance'];

await main(async () => {
  const { version } = JSON.parse(read('package.json'));
  const found = objections(version);
  if (found.length > 0)
    throw new ScriptError(`${version} can't be released:\n- ${found.join('\n- ')}`);
  if (!values.packed) {
    await step('building and packing every platform', () =>
      run(process.execPath, [join(root, 'scripts/prebuild.mjs')]),
    );
  }
  const packages = packed(version);
  for (const { path, manifest } of packages) {
    await step(`${manifest.name} ${version}, without publishing it`, () =>
      run('npm', [...publication(path), '--dry-run']),
    );
  }
  console.log(
    [
      `${version} is ready. Nothing has been published. Where npm can vouch for the origin (a workflow with id-token: write):`,
      `  git tag --annotate v${version} --message ${version}`,
      `  git push --follow-tags`,
      ...packages.map(({ path }) => `  npm ${publication(path).join(' ')}`),
    ].join('\n'),
  );
});
