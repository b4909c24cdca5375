// What is graded. Cases never enter a jail whole: a submission is given the arguments, and the answer is compared here.

/** By name: the function that a submission defines, and how it is called. */
export const exercises = new Map([
  [
    'digit-sum',
    {
      function: 'digit_sum',
      cases: [
        { arguments: [0], expected: 0 },
        { arguments: [1234], expected: 10 },
        { arguments: [-905], expected: 14 },
      ],
    },
  ],
]);
