// A seccomp filter in the making: classic BPF (seccomp(2)), written back to front, so that whatever
// an instruction jumps to is there already.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstddef>
#include <cstdint>

namespace codejail {

class Filter {
 public:
  // An instruction, by how many there are from it to the end.
  using Place = std::uint32_t;

  // Ends the filter with that action (SECCOMP_RET_...). Where the last such end is out of a jump's
  // reach, or soon will be, there is another: it takes no more than a longer jump would.
  Place answer(std::uint32_t action) {
    Answer* known = nullptr;
    for (std::size_t i = 0; i < answers_; ++i) {
      if (made_[i].action == action) {
        known = &made_[i];
      }
    }
    if (known != nullptr && length_ - known->place < kFarthest / 2) {
      return known->place;
    }
    const Place place = add({BPF_RET | BPF_K, 0, 0, action});
    if (known != nullptr) {
      known->place = place;
    } else if (answers_ < kMostAnswers) {
      made_[answers_++] = {action, place};
    }
    return place;
  }

  Place if_equal(std::uint32_t value, Place then, Place otherwise) {
    return branch(BPF_JEQ, value, then, otherwise);
  }
  Place if_at_least(std::uint32_t value, Place then, Place otherwise) {
    return branch(BPF_JGE, value, then, otherwise);
  }
  Place if_any_bit(std::uint32_t bits, Place then, Place otherwise) {
    return branch(BPF_JSET, bits, then, otherwise);
  }

  // These go on with the instruction that was written last.
  Place load(std::size_t offset) {
    return add({BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(offset)});
  }
  // The low half of an argument: both machines are little-endian.
  Place load_argument(std::size_t index) {
    return load(offsetof(seccomp_data, args) + index * sizeof(std::uint64_t));
  }
  Place load_argument_high(std::size_t index) {
    return load(offsetof(seccomp_data, args) + index * sizeof(std::uint64_t) +
                sizeof(std::uint32_t));
  }
  // Of what was loaded, these bits alone go on.
  Place keep(std::uint32_t bits) { return add({BPF_ALU | BPF_AND | BPF_K, 0, 0, bits}); }

  [[nodiscard]] bool overflown() const { return length_ > kCapacity; }
  // Begins with the instruction that was written last.
  sock_fprog program() {
    return {static_cast<unsigned short>(length_), instructions_ + (kCapacity - length_)};
  }

 private:
  static constexpr std::uint32_t kCapacity = 1024;
  static constexpr std::size_t kMostAnswers = 16;
  // What a conditional jump can skip: its distances are bytes.
  static constexpr std::uint32_t kFarthest = 255;

  struct Answer {
    std::uint32_t action;
    Place place;
  };

  Place branch(std::uint16_t test, std::uint32_t value, Place then, Place otherwise) {
    // One instruction may yet come between.
    then = reachable(then, 1);
    otherwise = reachable(otherwise, 0);
    return add({static_cast<std::uint16_t>(BPF_JMP | test | BPF_K),
                static_cast<std::uint8_t>(length_ - then),
                static_cast<std::uint8_t>(length_ - otherwise), value});
  }

  Place reachable(Place place, std::uint32_t yet_to_come) {
    const std::uint32_t distance = length_ - place;
    return distance + yet_to_come <= kFarthest ? place : add({BPF_JMP | BPF_JA, 0, 0, distance});
  }

  Place add(sock_filter instruction) {
    ++length_;
    if (length_ <= kCapacity) {
      instructions_[kCapacity - length_] = instruction;
    }
    return length_;
  }

  sock_filter instructions_[kCapacity] = {};
  std::uint32_t length_ = 0;
  Answer made_[kMostAnswers] = {};
  std::size_t answers_ = 0;
};

}  // namespace codejail
