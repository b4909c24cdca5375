// The cases, for both test runners.
export const cases = [
  { text: 'a b a', counts: { a: 2, b: 1 } },
  // `counts` of the submission is one for all calls: each branch begins with an empty one all the same.
  { text: 'A b', counts: { a: 1, b: 1 } },
  { text: '', counts: {} },
];
