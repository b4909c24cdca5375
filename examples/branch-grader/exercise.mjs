// What was asked for, and a hundred hidden cases: none of it enters the jail but what is given.
const collatz = (n) => {
  let steps = 0;
  for (let value = n; value !== 1; value = value % 2 === 0 ? value / 2 : 3 * value + 1) steps += 1;
  return steps;
};

export const exercise = {
  name: 'steps',
  cases: Array.from({ length: 100 }, (_, index) => {
    const given = 7 * index + 1;
    return { given, expected: collatz(given) };
  }),
};
