import { suggestion, suggestionSentence } from '../../lib/text/suggestion';

describe('suggestion', () => {
  it.each([
    ['limit', ['limits', 'files'], 'limits'],
    ['CPU', ['cpu', 'vmem'], 'cpu'],
    ['extra_files', ['files', 'extraFiles'], 'extraFiles'],
    ['on-stdout', ['onStderr', 'onStdout'], 'onStdout'],
    ['nprocs', ['nproc', 'proxy'], 'nproc'],
  ])('finds what %s meant', (word, candidates, meant) => {
    expect(suggestion(word, candidates)).toBe(meant);
  });

  it.each([
    ['banana', ['limits', 'files']],
    ['', ['limits', 'files']],
    ['x'.repeat(100_000), ['limits']],
  ])('makes none up for a word like nothing there is', (word, candidates) => {
    expect(suggestion(word, candidates)).toBeUndefined();
  });
});

describe('suggestionSentence', () => {
  it('lists what there is when no name is near', () => {
    expect(suggestionSentence('banana', ['cpu', 'vmem'])).toBe('There are: cpu, vmem.');
  });

  it('says so when there is nothing', () => {
    expect(suggestionSentence('banana', [])).toBe('There are none.');
  });
});
