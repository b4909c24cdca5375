// The exercise, and the hidden cases. Nothing of this file ever enters a jail but a case's intervals.

const BLOCKS = 10_000;

// Two intervals that overlap make a block; a fixed stride puts them out of order.
function manyIntervals() {
  const sorted = Array.from({ length: BLOCKS }, (_, i) => 10 * i).flatMap((start) => [
    [start, start + 4],
    [start + 3, start + 8],
  ]);
  return {
    name: 'twenty thousand intervals',
    intervals: sorted.map((_, i) => sorted[(i * 7919) % sorted.length]),
    expected: Array.from({ length: BLOCKS }, (_, i) => [10 * i, 10 * i + 8]),
  };
}

/** What the students were asked for, how it is called, and what decides about their points. */
export const exercise = {
  task:
    'Write merge_intervals(intervals): given a list of [start, end] pairs of integers in any ' +
    'order, return the pairs that cover the same points, in order, joining those that overlap or touch.',
  function: 'merge_intervals',
  cases: [
    {
      name: 'two that overlap',
      intervals: [
        [1, 4],
        [2, 6],
        [8, 9],
      ],
      expected: [
        [1, 6],
        [8, 9],
      ],
    },
    {
      name: 'two that touch',
      intervals: [
        [1, 3],
        [3, 5],
        [7, 8],
      ],
      expected: [
        [1, 5],
        [7, 8],
      ],
    },
    {
      name: 'one inside another',
      intervals: [
        [1, 9],
        [3, 4],
        [12, 15],
      ],
      expected: [
        [1, 9],
        [12, 15],
      ],
    },
    {
      name: 'out of order, below zero',
      intervals: [
        [5, 7],
        [-4, -1],
        [-1, 2],
        [6, 11],
      ],
      expected: [
        [-4, 2],
        [5, 11],
      ],
    },
    { name: 'no intervals', intervals: [], expected: [] },
    {
      name: 'very long intervals',
      intervals: [
        [0, 2_000_000_000],
        [1_000_000_000, 5_000_000_000],
      ],
      expected: [[0, 5_000_000_000]],
    },
    manyIntervals(),
  ],
};
