#include "core/seccomp_checks.h"

#include <sys/syscall.h>

#include <algorithm>
#include <cstddef>

#include "core/seccomp_arguments.h"

namespace codejail {
namespace {

// Of the values that follow one another, only the ends are asked for.
void if_among(Filter& filter, const Argument& argument, Filter::Place then, Filter::Place denied) {
  Value sorted[kMostValues];
  std::copy_n(argument.values, argument.count, sorted);
  std::sort(sorted, sorted + argument.count);
  // What has not been let through by the smaller ones is tried on the larger ones.
  Filter::Place next = denied;
  for (std::size_t end = argument.count; end > 0;) {
    std::size_t first = end - 1;
    while (first > 0 && sorted[first] - sorted[first - 1] <= 1) {
      --first;
    }
    const Value low = sorted[first];
    const Value high = sorted[end - 1];
    if (low == high) {
      next = filter.if_equal(low, then, next);
    } else {
      const Filter::Place inside = low == 0 ? then : filter.if_at_least(low, then, denied);
      next = filter.if_at_least(high + 1, next, inside);
    }
    end = first;
  }
}

bool makes_sockets(int call) {
  return call == SYS_socket || call == SYS_socketpair;
}

// Goes on at `then` where the argument is among its values.
Filter::Place check_argument(Filter& filter, const Argument& argument, Filter::Place then,
                             bool is_told) {
  const Filter::Place denied =
      filter.answer(is_told ? std::uint32_t{SECCOMP_RET_USER_NOTIF} : refuse(argument.error));
  if (argument.is_bits) {
    Value permitted = 0;
    for (std::size_t i = 0; i < argument.count; ++i) {
      permitted |= argument.values[i];
    }
    filter.if_any_bit(~permitted, denied, then);
  } else {
    if_among(filter, argument, then, denied);
    if (argument.beside != 0) {
      filter.keep(~argument.beside);
    }
  }
  const Filter::Place low = filter.load_argument(argument.index);
  if (argument.reads == Reads::kLowHalf) {
    return low;
  }
  filter.if_equal(0, low, denied);
  return filter.load_argument_high(argument.index);
}

}  // namespace

void check_arguments(Filter& filter, Calls& calls, const FilterPolicy& policy) {
  // Back to front, as everything: what is found at a call's number is what comes after.
  constexpr std::size_t kCount = sizeof(kArguments) / sizeof(kArguments[0]);
  for (std::size_t i = kCount; i > 0; --i) {
    const Argument& argument = kArguments[i - 1];
    if (!calls.is_refused(argument.call)) {
      const bool is_told = policy.explains() && makes_sockets(argument.call);
      calls.go(argument.call,
               check_argument(filter, argument, calls.place(filter, argument.call), is_told));
    }
  }
}

int refused_for_arguments(int call, const std::uint64_t (&arguments)[6]) {
  for (const Argument& argument : kArguments) {
    const std::uint64_t value = arguments[argument.index];
    const auto low = static_cast<Value>(value);
    if (argument.call != call) {
      continue;
    }
    bool is_permitted = argument.reads == Reads::kLowHalf || value >> 32U == 0;
    Value bits = 0;
    bool is_among = false;
    for (std::size_t i = 0; i < argument.count; ++i) {
      bits |= argument.values[i];
      is_among = is_among || argument.values[i] == (low & ~argument.beside);
    }
    is_permitted = is_permitted && (argument.is_bits ? (low & ~bits) == 0 : is_among);
    if (!is_permitted) {
      return argument.error;
    }
  }
  return 0;
}

}  // namespace codejail
